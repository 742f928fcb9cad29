"""Ledger: balances are made by settlement banks, moved by Settlement, and by nobody else."""

from __future__ import annotations

import pytest

from contracts.chain.council import Call
from contracts.chain.ledger import Ledger
from contracts.chain.participants import Participants

CNY, THB, SGD, FUNDS = 156, 764, 702, 1_000_000


def test_issue_and_redeem(stage):
    wallet = stage.account("wallet")
    stage.send("bank_cny", "Ledger", "issue", wallet, CNY, 5)
    assert (stage.net("wallet", CNY), stage.ledger.total_supply(CNY)) == (FUNDS + 5, FUNDS + 5)
    stage.send("bank_cny", "Ledger", "redeem", wallet, CNY, FUNDS + 5)
    assert (stage.net("wallet", CNY), stage.ledger.total_supply(CNY)) == (0, 0)


@pytest.mark.parametrize("name", ["wallet", "bank_thb", "stranger", "governor_1", "bank_cny/settlement"])
@pytest.mark.parametrize("what", ["issue", "redeem", "set_cap"])
def test_settlement_bank_alone(stage, refused, name, what):
    with refused("ledger: not the settlement bank"):
        stage.send(name, "Ledger", what, stage.account("wallet"), CNY, 1)


def test_currency_without_a_bank_has_no_issuer(stage, refused):
    with refused("ledger: unknown currency"):
        stage.send("bank_cny", "Ledger", "issue", stage.account("wallet"), SGD, 1)


def test_issues_to_active_participants_only(stage, refused):
    with refused("ledger: not an active participant"):
        stage.send("bank_cny", "Ledger", "issue", stage.account("stranger"), CNY, 1)
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    with refused("ledger: not an active participant"):
        stage.send("bank_cny", "Ledger", "issue", stage.account("wallet"), CNY, 1)


def test_redeems_no_more_than_there_is(stage, refused):
    with refused("ledger: insufficient balance"):
        stage.send("bank_cny", "Ledger", "redeem", stage.account("wallet"), CNY, FUNDS + 1)


def test_credit_line_is_not_redeemable(stage, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("provider"), CNY, 50)
    assert stage.ledger.cap(stage.account("provider"), CNY) == 50
    with refused("ledger: insufficient balance"):
        stage.send("bank_cny", "Ledger", "redeem", stage.account("provider"), CNY, 1)


@pytest.mark.parametrize("what", ["issue", "set_cap"])
def test_amounts_stay_in_range(stage, refused, what):
    stage.send("bank_cny", "Ledger", what, stage.account("wallet"), CNY, 2**127 - 1)
    with refused("ledger: amount"):
        stage.send("bank_cny", "Ledger", what, stage.account("wallet"), CNY, 2**127)


@pytest.mark.parametrize("receiver", ["provider", "acquirer", "stranger", "bank_thb", "wallet"])
def test_no_transfer_round_settlement(stage, refused, receiver):
    """By the owner, by an operator, or on an allowance: between participants value moves through Settlement only."""
    wallet, target = stage.account("wallet"), stage.account(receiver)
    stage.send("wallet", "Ledger", "setOperator", stage.account("provider"), True)
    stage.send("wallet", "Ledger", "approve", stage.account("acquirer"), CNY, FUNDS)
    with refused("ledger: only through settlement"):
        stage.send("wallet", "Ledger", "transfer", target, CNY, 1)
    for spender in ("provider", "acquirer"):
        with refused("ledger: only through settlement"):
            stage.send(spender, "Ledger", "transferFrom", wallet, target, CNY, 1)


@pytest.mark.parametrize("name", ["wallet", "bank_cny", "governor_1", "stranger"])
def test_only_settlement_applies_positions(stage, refused, name):
    positions = [(stage.account("wallet"), CNY, 1_000)]
    with refused("ledger: only settlement"):
        stage.send(name, "Ledger", "apply", positions)


def test_transfers_with_the_settlement_bank(stage, refused):
    bank, wallet = stage.account("bank_cny"), stage.account("wallet")
    stage.send("wallet", "Ledger", "transfer", bank, CNY, 40)
    stage.send("bank_cny", "Ledger", "transfer", stage.account("acquirer"), CNY, 30)
    assert [stage.net(name, CNY) for name in ("wallet", "bank_cny", "acquirer")] == [FUNDS - 40, 10, 30]
    assert stage.ledger.total_supply(CNY) == FUNDS
    with refused("ledger: insufficient balance"):
        stage.send("bank_cny", "Ledger", "transfer", wallet, CNY, 11)
    with refused("ledger: not an active participant"):
        stage.send("bank_cny", "Ledger", "transfer", stage.account("stranger"), CNY, 1)


def test_transfer_to_oneself_makes_nothing(stage):
    stage.send("wallet", "Ledger", "transfer", stage.account("bank_cny"), CNY, 40)
    stage.send("bank_cny", "Ledger", "transfer", stage.account("bank_cny"), CNY, 40)
    assert stage.net("bank_cny", CNY) == 40


@pytest.mark.parametrize("currency", [SGD, 2**16 + CNY, 2**255])
def test_transfer_of_an_unknown_currency_refused(stage, refused, currency):
    with refused("ledger: unknown currency"):
        stage.send("wallet", "Ledger", "transfer", stage.account("bank_cny"), currency, 0)
    assert stage.ledger.balance_of(stage.account("wallet"), currency) == 0


def test_allowance_is_spent_and_operator_is_not(stage, refused):
    wallet, bank = stage.account("wallet"), stage.account("bank_cny")
    pull = ("bank_cny", "Ledger", "transferFrom", wallet, bank, CNY)
    with refused("ledger: insufficient allowance"):
        stage.send(*pull, 1)
    stage.send("wallet", "Ledger", "approve", bank, CNY, 10)
    stage.send(*pull, 10)
    with refused("ledger: insufficient allowance"):
        stage.send(*pull, 1)
    stage.send("wallet", "Ledger", "approve", bank, CNY, 2**256 - 1)
    stage.send(*pull, 10)
    allowance = stage.client.read("Ledger", stage.ledger.address, "allowance", wallet, bank, CNY)
    assert allowance == (2**256 - 1,)
    stage.send("wallet", "Ledger", "approve", bank, CNY, 0)
    stage.send("wallet", "Ledger", "setOperator", bank, True)
    stage.send(*pull, 10)
    stage.send("wallet", "Ledger", "setOperator", bank, False)
    with refused("ledger: insufficient allowance"):
        stage.send(*pull, 1)
    assert stage.net("bank_cny", CNY) == 30


@pytest.mark.parametrize(("interface", "known"), [("0f632fb3", True), ("01ffc9a7", True), ("ffffffff", False)])
def test_interfaces(stage, interface, known):
    answer = stage.client.read("Ledger", stage.ledger.address, "supportsInterface", bytes.fromhex(interface))
    assert answer == (known,)


def test_council_alone_replaces_settlement(stage, refused):
    old, new = stage.settlement.address, stage.account("stranger")
    assert stage.ledger.settlement() == old
    for name in ("stranger", "bank_cny", "governor_1", "deployer"):
        with refused("ledger: only the council"):
            stage.send(name, "Ledger", "replace_settlement", old, new)
    with refused("ledger: settlement"):
        stage.govern(Call(stage.ledger.address, Ledger.replace_settlement_call(new, new)))
    stage.govern(Call(stage.ledger.address, Ledger.replace_settlement_call(old, new)))
    assert stage.ledger.settlement() == new
