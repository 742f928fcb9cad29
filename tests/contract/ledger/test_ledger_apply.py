"""Ledger.apply: positions move at Settlement's word only, exactly to the edges of their type."""

from __future__ import annotations

import pytest

from contracts.chain.abi import encode_call
from contracts.chain.ledger import Ledger
from contracts.terms.errors import ContractRefusal

CNY, FUNDS = 156, 1_000_000
LOWEST, HIGHEST = -(2**127), 2**127 - 1


def apply(stage, by, *moves):
    positions = [(stage.account(name), currency, delta) for name, currency, delta in moves]
    return stage.send(by, "Ledger", "apply", positions)


@pytest.fixture
def office(stage):
    """The relayer in Settlement's office, so that nothing stands between the test and the function."""
    stage.govern_ledger(Ledger.replace_settlement_call(stage.settlement.address, stage.account("relayer")))
    return "relayer"


def test_positions_move(stage, office):
    apply(stage, office, ("wallet", CNY, -3), ("acquirer", CNY, 3))
    assert (stage.net("wallet", CNY), stage.net("acquirer", CNY)) == (FUNDS - 3, 3)


@pytest.mark.parametrize("name", ["wallet", "bank_cny", "governor_1", "stranger", "deployer"])
def test_nobody_else_moves_positions(stage, refused, name):
    with refused("ledger: only settlement"):
        apply(stage, name, ("wallet", CNY, 1_000))


def test_retired_settlement_moves_nothing(stage, office, refused):
    signed = stage.endorse(stage.batch())
    with refused("ledger: only settlement"):
        stage.settle(signed)


def test_edges_of_a_position_do_not_wrap(stage, office):
    for _ in range(4):
        apply(stage, office, ("wallet", CNY, LOWEST), ("acquirer", CNY, HIGHEST), ("provider", CNY, 1))
    assert stage.net("wallet", CNY) == FUNDS + 4 * LOWEST
    assert stage.net("acquirer", CNY) == 4 * HIGHEST
    assert stage.net("provider", CNY) == 4


@pytest.mark.parametrize(("edge", "beyond"), [(LOWEST, LOWEST - 1), (HIGHEST, HIGHEST + 1)])
def test_wider_position_is_no_call_at_all(stage, office, edge, beyond):
    """The ABI decoder refuses a word that is no int128 before any line of the function."""

    def send(delta: int) -> None:
        data = encode_call("Ledger", "apply", [(stage.account("wallet"), CNY, 1)])
        stage.sender(office).transact(stage.ledger.address, data[:-32] + (delta % 2**256).to_bytes(32, "big"))

    send(edge)
    with pytest.raises(ContractRefusal, match="without a reason"):
        send(beyond)
    assert stage.net("wallet", CNY) == FUNDS + edge
