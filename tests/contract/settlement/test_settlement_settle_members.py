"""settle: its guards of who is a member. Each test changes one thing in a call that settles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.chain.participants import Participants


def test_the_call_that_settles(stage):
    stage.settle(stage.endorse(stage.batch()))


@pytest.mark.parametrize("spoil", [lambda each: each[::-1], lambda each: (each[0], *each)], ids=["order", "twice"])
def test_members_are_ascending_and_unique(stage, refused, spoil):
    batch = stage.batch()
    with refused("settlement: members"):
        stage.settle(stage.endorse(replace(batch, members=spoil(batch.members))))


def test_debtor_agent_is_a_member(stage, refused):
    batch = stage.batch(("provider", 156, 0))
    without = tuple(each for each in batch.members if each != batch.debtor_agent)
    with refused("settlement: members"):
        stage.settle(stage.endorse(replace(batch, members=without)))
    stage.settle(stage.endorse(batch))


@pytest.mark.parametrize(
    "spoil",
    [lambda each: each[1:], lambda each: each[:-1], lambda each: (*each, each[0]), lambda each: ()],
    ids=["first missing", "last missing", "one more", "none"],
)
def test_each_member_endorses(stage, refused, spoil):
    signed = stage.endorse(stage.batch())
    with refused("settlement: members"):
        stage.settle(replace(signed, endorsements=spoil(signed.endorsements)))
    stage.settle(signed)


@pytest.mark.parametrize("stranger", ["extra_0", "bank_cny"], ids=["not admitted", "another role"])
def test_only_agents_and_providers_are_members(stage, refused, stranger):
    with refused("participants: not a member"):
        stage.settle(stage.endorse(stage.batch(also=[stranger])))


def test_suspended_member_settles_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    with refused("participants: suspended"):
        stage.settle(signed)
    stage.govern_participants(Participants.reinstate_call(stage.account("provider")))
    stage.settle(signed)
