"""Participants.revoke_message_key: dead in the next block, by the participant's settlement key or the council."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose
from contracts.terms.commitments import keccak

DAY = 86_400
OLD, NEW = keccak(b"message key of wallet"), keccak(b"fresh")


def revoke(stage, key=OLD, by="wallet/settlement"):
    return stage.send(by, "Participants", "revoke_message_key", key)


def test_settlement_key_revokes_the_message_key(stage):
    revoke(stage)
    assert stage.participants.message_key_holder(OLD) is None
    assert stage.participants.message_key(OLD).valid_until == stage.now()


def test_council_revokes_the_message_key(stage):
    stage.govern_participants(Participants.revoke_message_key_call(OLD))
    assert stage.participants.message_key_holder(OLD) is None


def test_overlap_is_cut_short(stage):
    stage.send("wallet/settlement", "Participants", "rotate_message_key", stage.account("wallet"), NEW, stage.now() + 9)
    revoke(stage)
    assert [stage.participants.message_key_holder(key) for key in (OLD, NEW)] == [None, stage.account("wallet")]


@pytest.mark.parametrize("by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger", "governor_1"])
def test_no_other_key_revokes_the_message_key(stage, refused, by):
    with refused("participants: not the settlement key"):
        revoke(stage, by=by)


def test_replaced_settlement_key_revokes_no_message_key(stage, refused):
    call = Participants.rotate_key_call(
        stage.account("wallet"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
    )
    stage.govern_participants(call)
    with refused("participants: not the settlement key"):
        revoke(stage)


def test_dead_message_key_is_not_revoked(stage, refused):
    revoke(stage)
    with refused("participants: dead key"):
        revoke(stage)


def test_unknown_message_key_is_not_revoked(stage, refused):
    with refused("participants: dead key"):
        revoke(stage, NEW)


def test_settlement_key_is_not_revoked_as_a_message_key(stage, refused):
    key = bytes.fromhex(stage.account("wallet/settlement")[2:]).rjust(32, b"\0")
    with refused("participants: dead key"):
        revoke(stage, key)
