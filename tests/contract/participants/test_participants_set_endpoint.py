"""Participants.set_endpoint: the settlement key or the council moves where a participant answers."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose

DAY = 86_400


def move(stage, by="wallet/settlement", account="wallet", endpoint="http://new.test"):
    return stage.send(by, "Participants", "set_endpoint", stage.account(account), endpoint)


def test_settlement_key_moves_the_endpoint(stage):
    move(stage)
    assert stage.participants.participant(stage.account("wallet")).endpoint == "http://new.test"


def test_council_moves_the_endpoint(stage):
    stage.govern_participants(Participants.set_endpoint_call(stage.account("wallet"), "e" * 128))
    assert stage.participants.participant(stage.account("wallet")).endpoint == "e" * 128


@pytest.mark.parametrize("by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger", "governor_1"])
def test_nobody_else_moves_the_endpoint(stage, refused, by):
    with refused("participants: not the settlement key"):
        move(stage, by, endpoint="http://evil.test")


def test_revoked_settlement_key_moves_nothing(stage, refused):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    with refused("participants: not the settlement key"):
        move(stage, endpoint="http://evil.test")


def test_replaced_settlement_key_moves_nothing(stage, refused):
    """Though it still signs batches: a thief of an old key must not draw the messages to himself."""
    call = Participants.rotate_key_call(
        stage.account("wallet"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
    )
    stage.govern_participants(call)
    with refused("participants: not the settlement key"):
        move(stage, endpoint="http://evil.test")
    move(stage, "extra_0")


def test_stranger_has_no_endpoint(stage, refused):
    with refused("participants: unknown account"):
        move(stage, "stranger", "stranger")


def test_who_left_has_no_endpoint(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: left"):
        move(stage, "acquirer/settlement", "acquirer")
