"""Ledger.redeem: the currency's settlement bank takes back what there is."""

from __future__ import annotations

import pytest

from contracts.chain.abi import decode_log
from contracts.chain.participants import NO_ADDRESS, Participants

CNY, SGD, FUNDS = 156, 702, 1_000_000


def redeem(stage, amount=FUNDS, name="wallet", currency=CNY, by="bank_cny"):
    return stage.send(by, "Ledger", "redeem", stage.account(name), currency, amount)


def test_redeemed_to_the_last(stage):
    receipt = redeem(stage)
    assert (stage.net("wallet", CNY), stage.ledger.total_supply(CNY)) == (0, 0)
    [log] = receipt.logs
    name, fields = decode_log("Ledger", log)
    assert (name, fields["caller"], fields["receiver"]) == ("Transfer", stage.account("bank_cny"), NO_ADDRESS)
    assert (fields["sender"], fields["id"], fields["amount"]) == (stage.account("wallet"), CNY, FUNDS)


def test_suspended_participants_balance_is_redeemed(stage):
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    redeem(stage)
    assert stage.net("wallet", CNY) == 0


def test_undefined_currency_is_not_redeemed(stage, refused):
    with refused("ledger: unknown currency"):
        redeem(stage, 0, currency=SGD)


@pytest.mark.parametrize("by", ["wallet", "bank_thb", "stranger", "governor_1", "bank_cny/settlement"])
def test_nobody_else_redeems(stage, refused, by):
    with refused("ledger: not the settlement bank"):
        redeem(stage, 1, by=by)


@pytest.mark.parametrize("amount", [FUNDS + 1, 2**128, 2**255, 2**256 - 1])
def test_no_more_than_there_is(stage, refused, amount):
    with refused("ledger: insufficient balance"):
        redeem(stage, amount)


def test_credit_line_is_not_redeemable(stage, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("provider"), CNY, 50)
    with refused("ledger: insufficient balance"):
        redeem(stage, 1, "provider")


def test_debtor_has_nothing_to_redeem(stage, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("provider"), CNY, 50)
    stage.settle(stage.endorse(stage.batch(("provider", CNY, -50), ("acquirer", CNY, 50))))
    with refused("ledger: insufficient balance"):
        redeem(stage, 1, "provider")


def test_others_credit_is_redeemed_only_once_it_is_covered(stage, refused):
    """The wallet holds all that was issued and 50 that the provider owes: only what was issued is there to take."""
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("provider"), CNY, 50)
    stage.settle(stage.endorse(stage.batch(("provider", CNY, -50), ("wallet", CNY, 50))))
    with refused("ledger: insufficient supply"):
        redeem(stage, FUNDS + 50)
    redeem(stage, FUNDS)
    with refused("ledger: insufficient supply"):
        redeem(stage, 1)
    stage.send("bank_cny", "Ledger", "issue", stage.account("provider"), CNY, 50)
    redeem(stage, 50)
    assert (stage.net("wallet", CNY), stage.net("provider", CNY), stage.ledger.total_supply(CNY)) == (0, 0, 0)
