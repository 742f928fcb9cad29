"""Council.set_guardian: by itself only."""

from __future__ import annotations

import pytest

from contracts.chain.council import Council
from contracts.chain.participants import NO_ADDRESS


def test_new_guardian_takes_over(stage, chamber, refused):
    chamber.run(chamber.own(Council.set_guardian_call(stage.account("stranger"))))
    assert chamber.council.guardian() == stage.account("stranger")
    with refused("council: not the guardian"):
        chamber.council.pause(chamber.by("guardian"))
    chamber.council.pause(chamber.by("stranger"))


def test_a_council_may_do_without(chamber, refused):
    chamber.run(chamber.own(Council.set_guardian_call(NO_ADDRESS)))
    with refused("council: not the guardian"):
        chamber.council.pause(chamber.by("guardian"))


def test_open_proposals_stand(stage, chamber):
    """A guardian judges no proposal: none lapses with one."""
    number = chamber.approved()
    chamber.run(chamber.own(Council.set_guardian_call(NO_ADDRESS)))
    chamber.execute(number)


@pytest.mark.parametrize("name", ["guardian", "governor_1", "stranger"])
def test_no_single_key_names_the_guardian(chamber, refused, name):
    with refused("council: only by its own execution"):
        chamber.send(name, "set_guardian", chamber.stage.account(name))
