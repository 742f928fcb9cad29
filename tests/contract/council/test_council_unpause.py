"""Council.unpause: by the council's own execution only."""

from __future__ import annotations

import pytest

from contracts.chain.council import Council


def test_a_quorum_unpauses(chamber):
    chamber.council.pause(chamber.by("guardian"))
    chamber.run(chamber.unpause)
    assert not chamber.council.paused()


@pytest.mark.parametrize("name", ["guardian", "governor_1", "stranger"])
def test_no_single_key_unpauses(chamber, refused, name):
    chamber.council.pause(chamber.by("guardian"))
    with refused("council: only by its own execution"):
        chamber.send(name, "unpause")


def test_a_guardian_gone_mad_is_replaced_in_the_same_execution(stage, chamber, refused):
    """Unpaused alone, it would pause again in the next block."""
    chamber.council.pause(chamber.by("guardian"))
    chamber.run(chamber.own(Council.set_guardian_call(stage.account("governor_1"))), chamber.unpause)
    with refused("council: not the guardian"):
        chamber.council.pause(chamber.by("guardian"))
    assert not chamber.council.paused()
