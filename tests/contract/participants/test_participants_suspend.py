"""Participants.suspend: the council bars an active participant from batches."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose
from contracts.terms.parties import Status


def suspend(stage, name):
    return stage.govern_participants(Participants.suspend_call(stage.account(name)))


def test_suspended(stage):
    suspend(stage, "wallet")
    assert stage.participants.participant(stage.account("wallet")).status == Status.SUSPENDED
    # Its keys stay its own: whoever is reinstated goes on with them.
    held = stage.participants.key_holder(stage.account("wallet/settlement"), Purpose.SETTLEMENT)
    assert held == stage.account("wallet")


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "wallet/settlement"])
def test_suspension_is_the_councils(stage, refused, name):
    with refused("participants: only the council"):
        stage.send(name, "Participants", "suspend", stage.account("wallet"))


def test_suspended_is_not_suspended_again(stage, refused):
    suspend(stage, "wallet")
    with refused("participants: not active"):
        suspend(stage, "wallet")


def test_nobody_is_not_suspended(stage, refused):
    with refused("participants: not active"):
        suspend(stage, "stranger")


def test_who_left_is_not_suspended(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: not active"):
        suspend(stage, "acquirer")
