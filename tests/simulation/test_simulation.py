"""Whatever fails, and in whatever order: seeds of a whole network, judged after every event.

`make soak-simulation` runs thousands: a run takes most of a second of processor time.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation.campaign import ROOT, campaign

SEEDS, PART = 300, 75
PARTS = [
    pytest.param(first, id=f"seeds-{first}", marks=pytest.mark.xdist_group(f"simulation {first}"))
    for first in range(1, SEEDS + 1, PART)
]

pytestmark = [pytest.mark.timeout(1_800), pytest.mark.sqlite]


@pytest.mark.parametrize("first", PARTS)
def test_no_money_is_made_lost_or_stuck_whatever_fails(first: int) -> None:
    """Every run has at least a crash, a drop, a duplicate, a reordering and a reorganisation, or it fails."""
    summary, printed = campaign(first, first + PART - 1)
    assert not summary["failed"], printed[-20_000:]
    counts = summary["counts"]
    assert counts["run"] == PART
    assert all(counts[each] >= PART for each in ("crash", "drop", "duplicate", "reorder", "reorganisation"))
    assert counts["settled"] > PART, "runs in which nothing settles prove little"


def test_a_seed_replays_event_by_event_with_one_command() -> None:
    """Twice the same trace, of whatever order the interpreter gives to sets."""
    command = [sys.executable, "-m", "tests.simulation", "7"]
    traces = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    told = [[line for line in trace.splitlines() if not line.startswith("{")] for trace in traces]
    assert told[0] == told[1]
    assert len(told[0]) > 50
    assert told[0][-1].startswith("digest ")
