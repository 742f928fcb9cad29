"""Participants.reinstate: the council lets a suspended participant take part again, and nobody else."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants
from contracts.terms.parties import Status


@pytest.fixture
def suspended(stage):
    stage.govern_participants(Participants.suspend_call(stage.account("acquirer")))
    return stage.account("acquirer")


def test_reinstated(stage, suspended):
    stage.govern_participants(Participants.reinstate_call(suspended))
    assert stage.participants.participant(suspended).status == Status.ACTIVE


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "acquirer/settlement"])
def test_reinstatement_is_the_councils(stage, refused, suspended, name):
    with refused("participants: only the council"):
        stage.send(name, "Participants", "reinstate", suspended)


@pytest.mark.parametrize("name", ["wallet", "stranger"])
def test_who_is_not_suspended_is_not_reinstated(stage, refused, name):
    with refused("participants: not suspended"):
        stage.govern_participants(Participants.reinstate_call(stage.account(name)))


def test_who_left_is_not_reinstated(stage, refused, suspended):
    stage.govern_participants(Participants.leave_call(suspended))
    with refused("participants: not suspended"):
        stage.govern_participants(Participants.reinstate_call(suspended))
