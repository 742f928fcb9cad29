"""Ledger.check: who is debited stands at or above its net debit cap; who only receives is not asked."""

from __future__ import annotations

import pytest

from contracts.chain.abi import encode_call

CNY, FUNDS = 156, 1_000_000


def check(stage, *moves):
    """Without an answer when nobody stands too low."""
    positions = [(stage.account(name), CNY, delta) for name, delta in moves]
    return stage.client.call(stage.ledger.address, encode_call("Ledger", "check", positions))


@pytest.fixture
def indebted(stage):
    """The acquirer at its cap of 50 below zero."""
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 50)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -50), ("provider", CNY, 50))))


def test_debited_at_its_cap_passes(stage, indebted):
    assert check(stage, ("acquirer", -1), ("provider", 1)) == b""
    assert check(stage) == b""


def test_debited_below_its_cap_does_not(stage, indebted, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 49)
    with refused("ledger: insufficient liquidity"):
        check(stage, ("provider", 1), ("acquirer", -1))


@pytest.mark.parametrize("delta", [0, 1])
def test_receiver_below_its_cap_passes(stage, indebted, delta):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 0)
    assert check(stage, ("acquirer", delta)) == b""
