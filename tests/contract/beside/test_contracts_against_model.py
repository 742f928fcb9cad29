"""The contracts beside their model: the same moves, the same answers, the same state, in thousands of steps.

One campaign of fixed moves for all tests here; `make soak-contracts` runs others for as long as one likes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.chain.reverts import REASONS
from tests.contract.beside.ground import found
from tests.contract.beside.machine import campaign
from tests.contract.beside.tally import Tally

UNIT_TESTS = Path(__file__).parents[1]
SEEDS = range(1, 9)
COUNCIL_DOES = {"admit", "suspend", "reinstate", "replace_settlement", "set_governors", "unpause"}

# The first test waits for the whole campaign, which one process runs for all: minutes of one core.
pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("model")]


@pytest.fixture(scope="module")
def tally() -> Tally:
    """What the campaign met; model and contracts agreed throughout, or this raises."""
    return campaign(found(), SEEDS)


def test_contracts_do_what_the_model_does(tally: Tally) -> None:
    assert tally.steps >= 3_000


def test_enough_settles(tally: Tally) -> None:
    """A campaign of refusals would say little about what is allowed."""
    assert tally.settlements.total() >= 500
    assert tally.settled_share >= 40


def test_council_does_everything(tally: Tally) -> None:
    assert set(tally.executed) >= COUNCIL_DOES


@pytest.mark.parametrize("contract", ["settlement", "ledger"])
def test_each_reason_is_met(tally: Tally, contract: str) -> None:
    """The few that chance leaves out, their unit tests bring about."""
    reasons = {reason for reason in REASONS if reason.startswith(f"{contract}: ")}
    unmet = reasons - tally.reasons
    tested = "".join(path.read_text() for path in (UNIT_TESTS / contract).glob("test_*.py"))
    assert {reason for reason in unmet if f'"{reason}"' not in tested} == set()
    assert len(unmet) <= 4
