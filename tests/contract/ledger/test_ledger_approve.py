"""Ledger.approve: an allowance is set, not added to, for one id and one spender."""

from __future__ import annotations

import pytest

from contracts.chain.abi import decode_log

CNY = 156


def allowance(stage, owner="wallet", spender="bank_cny", id=CNY):
    pair = (stage.account(owner), stage.account(spender))
    return stage.client.read("Ledger", stage.ledger.address, "allowance", *pair, id)[0]


def approve(stage, amount, id=CNY):
    return stage.send("wallet", "Ledger", "approve", stage.account("bank_cny"), id, amount)


@pytest.mark.parametrize("amounts", [(10,), (10, 3), (10, 0), (2**256 - 1,)])
def test_last_word_counts(stage, amounts):
    for amount in amounts:
        receipt = approve(stage, amount)
    assert allowance(stage) == amounts[-1]
    [log] = receipt.logs
    told = {"owner": stage.account("wallet"), "spender": stage.account("bank_cny"), "id": CNY, "amount": amounts[-1]}
    assert decode_log("Ledger", log) == ("Approval", told)


def test_allowance_is_for_one_id_spender_and_owner(stage):
    approve(stage, 10)
    assert [allowance(stage, id=764), allowance(stage, spender="bank_thb"), allowance(stage, "bank_cny", "wallet")] == [
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("id", [702, 2**16 + CNY, 2**256 - 1])
def test_any_id_may_be_allowed(stage, id):
    approve(stage, 10, id)
    assert (allowance(stage, id=id), allowance(stage)) == (10, 0)
