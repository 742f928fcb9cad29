"""What the Ledger tells a wallet, also of currencies that it does not know: nothing, and never by reverting."""

from __future__ import annotations

import pytest

CNY, THB, SGD, FUNDS = 156, 764, 702, 1_000_000


def told(stage, function, *arguments):
    return stage.client.read("Ledger", stage.ledger.address, function, *arguments)[0]


def test_metadata_of_a_defined_currency(stage):
    shown = [told(stage, what, CNY) for what in ("symbol", "name", "decimals")]
    assert shown == ["CNY", "CNY settlement balance", 2]


@pytest.mark.parametrize("id", [0, SGD, 2**16 + CNY, 2**256 - 1])
def test_unknown_id_is_empty(stage, id):
    assert [told(stage, what, id) for what in ("symbol", "name", "decimals", "totalSupply")] == ["", "", 0, 0]
    assert told(stage, "balanceOf", stage.account("wallet"), id) == 0


def test_balance_is_the_position_while_positive(stage):
    acquirer, provider = stage.account("acquirer"), stage.account("provider")
    stage.send("bank_cny", "Ledger", "set_cap", acquirer, CNY, 50)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -50), ("provider", CNY, 50))))
    assert (stage.net("acquirer", CNY), stage.ledger.balance_of(acquirer, CNY)) == (-50, 0)
    assert (stage.net("provider", CNY), stage.ledger.balance_of(provider, CNY)) == (50, 50)


def test_supply_is_the_sum_of_all_positions(stage):
    """Also while one stands below zero, when the balances alone sum to more."""
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 50)
    stage.settle(stage.endorse(stage.batch(("acquirer", CNY, -50), ("provider", CNY, 50))))
    stage.send("bank_cny", "Ledger", "redeem", stage.account("wallet"), CNY, 7)
    positions = [stage.net(name, CNY) for name in ("wallet", "acquirer", "provider", "bank_cny", "bank_thb")]
    assert sum(positions) == stage.ledger.total_supply(CNY) == FUNDS - 7
