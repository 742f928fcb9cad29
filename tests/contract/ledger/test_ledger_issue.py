"""Ledger.issue: balance comes into being at the currency's settlement bank's word only."""

from __future__ import annotations

import pytest

from contracts.chain.abi import decode_log
from contracts.chain.participants import NO_ADDRESS, Participants

CNY, THB, SGD, FUNDS = 156, 764, 702, 1_000_000
MAX_AMOUNT = 2**127 - 1


def issue(stage, amount=5, name="wallet", currency=CNY, by="bank_cny"):
    return stage.send(by, "Ledger", "issue", stage.account(name), currency, amount)


def test_issued(stage):
    receipt = issue(stage)
    assert (stage.net("wallet", CNY), stage.ledger.total_supply(CNY)) == (FUNDS + 5, FUNDS + 5)
    [log] = receipt.logs
    name, fields = decode_log("Ledger", log)
    assert (name, fields["caller"], fields["sender"]) == ("Transfer", stage.account("bank_cny"), NO_ADDRESS)
    assert (fields["receiver"], fields["id"], fields["amount"]) == (stage.account("wallet"), CNY, 5)


def test_nothing_may_be_issued(stage):
    issue(stage, 0)
    assert stage.ledger.total_supply(CNY) == FUNDS


def test_bank_issues_to_itself(stage):
    issue(stage, name="bank_cny")
    assert stage.net("bank_cny", CNY) == 5


def test_issue_repays_a_debt(stage):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 10)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -10), ("provider", CNY, 10))))
    issue(stage, 4, "acquirer")
    assert (stage.net("acquirer", CNY), stage.ledger.total_supply(CNY)) == (-6, FUNDS + 4)


def test_undefined_currency_is_not_issued(stage, refused):
    with refused("ledger: unknown currency"):
        issue(stage, currency=SGD)


def test_undefined_currency_is_not_issued_by_its_bank(stage, refused):
    stage.govern_participants(Participants.set_settlement_bank_call(SGD, stage.account("bank_cny")))
    with refused("ledger: unknown currency"):
        issue(stage, currency=SGD)


@pytest.mark.parametrize("by", ["wallet", "bank_thb", "stranger", "governor_1", "bank_cny/settlement"])
def test_nobody_else_issues(stage, refused, by):
    """Not the bank of another currency either, nor the bank's own settlement key."""
    with refused("ledger: not the settlement bank"):
        issue(stage, by=by)


def test_former_bank_issues_no_more(stage, refused):
    stage.govern_participants(Participants.set_settlement_bank_call(CNY, stage.account("bank_thb")))
    with refused("ledger: not the settlement bank"):
        issue(stage)


def test_stranger_gets_nothing(stage, refused):
    with refused("ledger: not an active participant"):
        issue(stage, name="stranger")


def test_suspended_participant_gets_nothing(stage, refused):
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    with refused("ledger: not an active participant"):
        issue(stage)


@pytest.mark.parametrize("amount", [MAX_AMOUNT + 1, 2**255, 2**256 - 1])
def test_amount_stays_in_range(stage, refused, amount):
    with refused("ledger: amount"):
        issue(stage, amount)


def test_largest_amount_twice(stage):
    """Past 128 bits the sums still hold."""
    for _ in range(2):
        issue(stage, MAX_AMOUNT)
    assert stage.net("wallet", CNY) == stage.ledger.total_supply(CNY) == FUNDS + 2 * MAX_AMOUNT
