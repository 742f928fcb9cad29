"""Council's constructor: no council that could never act, and none that one key rules."""

from __future__ import annotations

import pytest

from contracts.chain.participants import NO_ADDRESS

YEAR = 365 * 86_400


def test_founded_as_told(stage, chamber):
    council = chamber.council
    assert council.governors() == tuple(chamber.accounts("governor_1", "governor_2", "governor_3"))
    assert (council.quorum(), council.delay(), council.guardian()) == (2, 100, stage.account("guardian"))
    assert (council.paused(), council.proposal_count()) == (False, 0)


def test_unanimous_council_stands(found):
    assert found(["governor_1", "governor_2"], quorum=2).council.quorum() == 2


def test_the_largest_council_stands(found):
    names = [f"extra_{number}" for number in range(13)] + ["governor_1", "governor_2", "governor_3"]
    assert len(found(names, quorum=16).council.governors()) == 16


@pytest.mark.parametrize(
    ("governors", "quorum", "reason"),
    [
        (["governor_1", "governor_1"], 1, "council: governors"),
        (["governor_1", "governor_2", "governor_3", "governor_1"], 2, "council: governors"),
        (["governor_1", NO_ADDRESS], 1, "council: governors"),
        (["governor_1", "governor_2"], 0, "council: quorum"),
        (["governor_1", "governor_2"], 3, "council: quorum"),
        ([], 1, "council: quorum"),
    ],
    ids=["twice", "first and last", "nobody", "quorum 0", "quorum over", "none"],
)
def test_no_impossible_council(found, refused, governors, quorum, reason):
    with refused(reason):
        found(governors, quorum)


def test_no_delay_that_outlives_the_network(found, refused):
    """Longest a year: one second more would be milliseconds, or overflow when the quorum is reached."""
    assert found(delay=YEAR).council.delay() == YEAR
    for delay in (YEAR + 1, 2**64 - 1):
        with refused("council: delay"):
            found(delay=delay)
