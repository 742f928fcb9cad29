"""Ledger.transferFrom: by the owner, an operator or on an allowance, and no further than the owner itself could."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants

CNY, THB, FUNDS = 156, 764, 1_000_000
INFINITE = 2**256 - 1


def pull(stage, amount=10, by="bank_cny", sender="wallet", to="bank_cny", currency=CNY):
    return stage.send(by, "Ledger", "transferFrom", stage.account(sender), stage.account(to), currency, amount)


def allow(stage, amount, spender="bank_cny", currency=CNY):
    stage.send("wallet", "Ledger", "approve", stage.account(spender), currency, amount)


def allowance(stage, spender="bank_cny", currency=CNY):
    pair = (stage.account("wallet"), stage.account(spender))
    return stage.client.read("Ledger", stage.ledger.address, "allowance", *pair, currency)[0]


def test_allowance_is_spent(stage, refused):
    allow(stage, 10)
    pull(stage, 7)
    assert (allowance(stage), stage.net("bank_cny", CNY)) == (3, 7)
    with refused("ledger: insufficient allowance"):
        pull(stage, 4)


def test_infinite_allowance_is_not_spent(stage):
    allow(stage, INFINITE)
    pull(stage)
    assert allowance(stage) == INFINITE


def test_largest_finite_allowance_is_spent(stage):
    allow(stage, INFINITE - 1)
    pull(stage)
    assert allowance(stage) == INFINITE - 11


def test_operator_spends_no_allowance(stage, refused):
    allow(stage, 10)
    stage.send("wallet", "Ledger", "setOperator", stage.account("bank_cny"), True)
    pull(stage, 30)
    assert allowance(stage) == 10
    stage.send("wallet", "Ledger", "setOperator", stage.account("bank_cny"), False)
    with refused("ledger: insufficient allowance"):
        pull(stage, 11)


def test_owner_spends_no_allowance(stage):
    pull(stage, by="wallet")
    assert stage.net("wallet", CNY) == FUNDS - 10


def test_no_allowance_no_transfer(stage, refused):
    with refused("ledger: insufficient allowance"):
        pull(stage, 1)


def test_bank_needs_leave_like_anyone(stage, refused):
    """Redeeming needs none; a transfer to itself does."""
    allow(stage, 10, currency=THB)
    with refused("ledger: insufficient allowance"):
        pull(stage, 10)


def test_spenders_own_operator_is_not_the_owners(stage, refused):
    stage.send("bank_cny", "Ledger", "setOperator", stage.account("stranger"), True)
    allow(stage, 10)
    with refused("ledger: insufficient allowance"):
        pull(stage, by="stranger")


def test_failed_transfer_spends_nothing(stage, refused):
    allow(stage, 2 * FUNDS)
    with refused("ledger: insufficient balance"):
        pull(stage, FUNDS + 1)
    assert allowance(stage) == 2 * FUNDS


@pytest.mark.parametrize("by", ["provider", "acquirer", "bank_cny", "wallet"])
@pytest.mark.parametrize("to", ["provider", "acquirer", "stranger", "bank_thb", "wallet"])
def test_no_permission_leads_round_settlement(stage, refused, by, to):
    """As operator, on an allowance, as the bank's own hand, or as the owner."""
    stage.send("wallet", "Ledger", "setOperator", stage.account("provider"), True)
    stage.send("wallet", "Ledger", "setOperator", stage.account("bank_cny"), True)
    allow(stage, FUNDS, "acquirer")
    with refused("ledger: only through settlement"):
        pull(stage, 1, by, to=to)


def test_unknown_currency_refused_whatever_is_allowed(stage, refused):
    allow(stage, INFINITE, currency=2**16 + CNY)
    with refused("ledger: unknown currency"):
        pull(stage, 0, currency=2**16 + CNY)


def test_suspended_bank_receives_nothing(stage, refused):

    allow(stage, 10)
    stage.govern_participants(Participants.suspend_call(stage.account("bank_cny")))
    with refused("ledger: not an active participant"):
        pull(stage)
