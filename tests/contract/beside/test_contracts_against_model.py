"""The contracts beside their model: the same moves, the same answers, the same state, in thousands of steps.

One campaign of fixed moves for all tests here; `make soak-contracts` runs others for as long as one likes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.chain.reverts import REASONS
from tests.contract.beside.tally import Tally

ROOT, UNIT_TESTS = Path(__file__).parents[3], Path(__file__).parents[1]
SEEDS = ((1, 4), (5, 8))
"""Of a process each."""
COUNCIL_DOES = {"admit", "suspend", "reinstate", "replace_settlement", "set_governors", "unpause"}

# The first test waits for the whole campaign: a minute of both cores.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def tally() -> Tally:
    """What the campaign met; model and contracts agreed throughout, or this raises."""
    commands = [[sys.executable, "-m", "tests.contract.beside", str(first), str(last)] for first, last in SEEDS]
    running = [
        subprocess.Popen(each, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for each in commands
    ]
    met = Tally()
    for process, command in zip(running, commands, strict=True):
        printed, why = process.communicate()
        assert process.returncode == 0, f"{' '.join(command[1:])}\n{why}"
        met.add(printed.splitlines()[-1])
    return met


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
