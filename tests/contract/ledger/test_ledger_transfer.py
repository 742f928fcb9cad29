"""Ledger.transfer: with the currency's settlement bank on one side, or not at all."""

from __future__ import annotations

import pytest

from contracts.chain.abi import decode_log, encode_call
from contracts.chain.ledger import Ledger
from contracts.chain.participants import NO_ADDRESS, Participants
from contracts.terms.money import currency as iso4217

CNY, THB, SGD, FUNDS = 156, 764, 702, 1_000_000


def transfer(stage, by="wallet", to="bank_cny", amount=40, currency=CNY):
    return stage.send(by, "Ledger", "transfer", stage.account(to), currency, amount)


def test_to_the_bank_and_from_it(stage):
    receipt = transfer(stage)
    transfer(stage, "bank_cny", "acquirer", 30)
    assert [stage.net(name, CNY) for name in ("wallet", "bank_cny", "acquirer")] == [FUNDS - 40, 10, 30]
    assert stage.ledger.total_supply(CNY) == FUNDS
    [log] = receipt.logs
    wallet, bank = stage.account("wallet"), stage.account("bank_cny")
    told = {"caller": wallet, "sender": wallet, "receiver": bank, "id": CNY, "amount": 40}
    assert decode_log("Ledger", log) == ("Transfer", told)


def test_transfer_answers_true(stage):
    sender = {"from": stage.account("wallet"), "to": stage.ledger.address}
    data = "0x" + transfer_data(stage).hex()
    assert int(stage.client.request("eth_call", sender | {"data": data}, "latest"), 16) == 1


def transfer_data(stage):

    return encode_call("Ledger", "transfer", stage.account("bank_cny"), CNY, 40)


def test_bank_of_one_currency_is_like_any_other_in_another(stage):
    transfer(stage, to="bank_thb", by="bank_cny", amount=0)
    assert stage.net("bank_thb", CNY) == 0


def test_transfer_to_oneself_makes_nothing(stage):
    transfer(stage)
    transfer(stage, "bank_cny", "bank_cny")
    assert stage.net("bank_cny", CNY) == 40


def test_transfer_of_nothing_is_logged_like_any(stage):
    """ERC-6909 makes no exception for an amount of zero, nor asks who the sender is."""
    assert len(transfer(stage, amount=0).logs) == 1
    assert len(transfer(stage, by="stranger", amount=0).logs) == 1


def test_suspended_participant_may_give_back(stage):
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    transfer(stage)
    assert stage.net("wallet", CNY) == FUNDS - 40


@pytest.mark.parametrize("receiver", ["provider", "acquirer", "stranger", "bank_thb", "wallet"])
def test_no_transfer_round_settlement(stage, refused, receiver):
    with refused("ledger: only through settlement"):
        transfer(stage, to=receiver)


def test_no_transfer_to_the_zero_address(stage, refused):
    """Which would burn: that is the bank's to do."""
    with refused("ledger: only through settlement"):
        stage.send("wallet", "Ledger", "transfer", NO_ADDRESS, CNY, 1)


def test_bank_transfers_nothing_to_the_zero_address(stage, refused):
    with refused("ledger: not an active participant"):
        stage.send("bank_cny", "Ledger", "transfer", NO_ADDRESS, CNY, 0)


def test_currency_without_a_bank_moves_nowhere(stage, refused):

    stage.govern_ledger(Ledger.define_currency_call(iso4217("SGD")))
    with refused("ledger: only through settlement"):
        transfer(stage, currency=SGD, amount=0)
    with refused("ledger: not an active participant"):
        stage.send("wallet", "Ledger", "transfer", NO_ADDRESS, SGD, 0)


@pytest.mark.parametrize("currency", [SGD, 2**16 + CNY, 2**16, 2**255, 2**256 - 1])
def test_transfer_of_an_unknown_currency_refused(stage, refused, currency):
    """Also one whose last 16 bits are a known one's."""
    with refused("ledger: unknown currency"):
        transfer(stage, currency=currency, amount=0)


@pytest.mark.parametrize("amount", [FUNDS + 1, 2**127, 2**128 + 1, 2**255, 2**256 - 1])
def test_no_more_than_the_balance(stage, refused, amount):
    with refused("ledger: insufficient balance"):
        transfer(stage, amount=amount)


def test_credit_line_is_for_settlement_only(stage, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 50)
    with refused("ledger: insufficient balance"):
        transfer(stage, "acquirer", amount=1)


def test_bank_has_no_more_than_it_issued_itself(stage, refused):
    with refused("ledger: insufficient balance"):
        transfer(stage, "bank_cny", "wallet", 1)


def test_receiver_is_active(stage, refused):
    transfer(stage)
    stage.govern_participants(Participants.suspend_call(stage.account("acquirer")))
    for receiver in ("stranger", "acquirer"):
        with refused("ledger: not an active participant"):
            transfer(stage, "bank_cny", receiver, 1)


def test_transfer_after_co_signing_makes_the_batch_fail_whole(stage, refused):
    """Nobody's other leg moves without it."""
    signed = stage.endorse(stage.batch())
    transfer(stage, amount=FUNDS)
    books = stage.books()
    with refused("ledger: insufficient liquidity"):
        stage.settle(signed)
    assert stage.books() == books
