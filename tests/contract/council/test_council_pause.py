"""Council.pause: the guardian alone, at once, and nothing more."""

from __future__ import annotations

import pytest


def test_guardian_pauses_at_once(chamber):
    chamber.council.pause(chamber.by("guardian"))
    assert chamber.council.paused()


def test_again_changes_nothing(chamber):
    for _ in range(2):
        chamber.council.pause(chamber.by("guardian"))
    assert chamber.council.paused()


@pytest.mark.parametrize("name", ["stranger", "governor_1", "deployer"])
def test_nobody_else_pauses(chamber, refused, name):
    with refused("council: not the guardian"):
        chamber.council.pause(chamber.by(name))


def test_a_pause_stops_no_proposal(stage, chamber):
    """Else the guardian could stop its own replacement."""
    number = chamber.approved()
    chamber.council.pause(chamber.by("guardian"))
    stage.pass_time(100)
    chamber.execute(number)
    assert not chamber.council.paused()
