"""Ledger.is_clear: nothing owned, owed or lent, in any currency."""

from __future__ import annotations

CNY, THB = 156, 764


def clear(stage, name="acquirer"):
    return stage.ledger.is_clear(stage.account(name))


def test_who_never_had_anything_is_clear(stage):
    assert clear(stage)
    assert clear(stage, "stranger")


def test_smallest_balance_is_not_clear(stage):
    stage.send("bank_thb", "Ledger", "issue", stage.account("acquirer"), THB, 1)
    assert not clear(stage)
    stage.send("bank_thb", "Ledger", "redeem", stage.account("acquirer"), THB, 1)
    assert clear(stage)


def test_unused_cap_is_not_clear(stage):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 1)
    assert not clear(stage)


def test_debt_is_not_clear(stage):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 1)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -1), ("provider", CNY, 1))))
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 0)
    assert not clear(stage)
