"""Ledger.setOperator: an operator is one owner's, until the owner takes it back."""

from __future__ import annotations

from contracts.chain.abi import decode_log


def is_operator(stage, owner="wallet", spender="bank_cny"):
    pair = (stage.account(owner), stage.account(spender))
    return stage.client.read("Ledger", stage.ledger.address, "isOperator", *pair)[0]


def test_operator_set_and_taken_back(stage):
    for approved in (True, True, False):
        [log] = stage.send("wallet", "Ledger", "setOperator", stage.account("bank_cny"), approved).logs
        told = {"owner": stage.account("wallet"), "spender": stage.account("bank_cny"), "approved": approved}
        assert decode_log("Ledger", log) == ("OperatorSet", told)
        assert is_operator(stage) is approved


def test_operator_is_one_owners(stage):
    stage.send("wallet", "Ledger", "setOperator", stage.account("bank_cny"), True)
    assert not is_operator(stage, "acquirer")
    assert not is_operator(stage, "bank_cny", "wallet")
