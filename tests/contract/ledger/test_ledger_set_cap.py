"""Ledger.set_cap: how far below zero is the currency's settlement bank's to say."""

from __future__ import annotations

import pytest

CNY, THB, SGD = 156, 764, 702
MAX_AMOUNT = 2**127 - 1


def set_cap(stage, cap=50, name="acquirer", currency=CNY, by="bank_cny"):
    return stage.send(by, "Ledger", "set_cap", stage.account(name), currency, cap)


def debit(stage, amount, **changes):
    return stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -amount), ("provider", CNY, amount), **changes)))


def test_cap_is_credit_for_settlement(stage, refused):
    set_cap(stage)
    assert stage.ledger.cap(stage.account("acquirer"), CNY) == 50
    with refused("ledger: insufficient liquidity"):
        debit(stage, 51)
    debit(stage, 50)
    assert stage.net("acquirer", CNY) == -50


def test_cap_is_for_one_currency(stage, refused):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 50)
    with refused("ledger: insufficient liquidity"):
        debit(stage, 1)


def test_cap_withdrawn_under_a_debt_stops_more_of_it(stage, refused):
    set_cap(stage)
    debit(stage, 50)
    set_cap(stage, 0)
    with refused("ledger: insufficient liquidity"):
        debit(stage, 1, sequence=1)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, 1), ("wallet", CNY, -1), sequence=1)))


def test_cap_of_an_undefined_currency_refused(stage, refused):
    with refused("ledger: unknown currency"):
        set_cap(stage, currency=SGD)


@pytest.mark.parametrize("by", ["acquirer", "bank_thb", "stranger", "governor_1", "bank_cny/settlement"])
def test_nobody_else_sets_a_cap(stage, refused, by):
    with refused("ledger: not the settlement bank"):
        set_cap(stage, by=by)


@pytest.mark.parametrize("cap", [MAX_AMOUNT + 1, 2**255, 2**256 - 1])
def test_cap_stays_in_range(stage, refused, cap):
    with refused("ledger: amount"):
        set_cap(stage, cap)


def test_largest_cap_and_largest_debit(stage, refused):
    """A position's type holds one unit more below zero than above."""
    set_cap(stage, MAX_AMOUNT)
    with refused("ledger: insufficient liquidity"):
        stage.settle(
            stage.endorse(
                stage.batch(("acquirer", CNY, -(2**127)), ("provider", CNY, MAX_AMOUNT), ("wallet", CNY, 1)),
            )
        )
    debit(stage, MAX_AMOUNT)
    assert stage.net("acquirer", CNY) == -MAX_AMOUNT
