"""Participants.revoke_key: a key is dead in the next block, by its own word or the council's."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose

DAY = 86_400


def revoke(stage, key="wallet/settlement", by=None):
    return stage.send(by or key, "Participants", "revoke_key", stage.account(key))


def test_key_revokes_itself(stage):
    revoke(stage)
    key = stage.account("wallet/settlement")
    assert stage.participants.key_holder(key, Purpose.SETTLEMENT) is None
    assert stage.participants.key(key).account == stage.account("wallet")
    assert stage.participants.key(key).valid_until == stage.now()


def test_council_revokes(stage):
    call = Participants.revoke_key_call(stage.account("wallet/compliance"))
    stage.govern_participants(call)
    assert stage.participants.key_holder(stage.account("wallet/compliance"), Purpose.COMPLIANCE) is None


def test_replaced_key_ends_its_own_overlap(stage):
    call = Participants.rotate_key_call(
        stage.account("wallet"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
    )
    stage.govern_participants(call)
    revoke(stage)
    assert stage.participants.key_holder(stage.account("wallet/settlement"), Purpose.SETTLEMENT) is None
    assert stage.participants.key_holder(stage.account("extra_0"), Purpose.SETTLEMENT) == stage.account("wallet")


@pytest.mark.parametrize("by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger", "governor_1"])
def test_nobody_else_revokes(stage, refused, by):
    with refused("participants: not the key"):
        revoke(stage, by=by)


def test_dead_key_is_not_revoked_again(stage, refused):
    revoke(stage)
    with refused("participants: dead key"):
        revoke(stage)


@pytest.mark.parametrize("name", ["stranger", "wallet"])
def test_what_is_no_key_is_not_revoked(stage, refused, name):
    """An account's address is known to the register, but signs nothing."""
    with refused("participants: dead key"):
        revoke(stage, name)


def test_revoked_settlement_key_settles_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    revoke(stage)
    with refused("participants: settlement key"):
        stage.settle(signed)


def test_revoked_compliance_key_attests_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    revoke(stage, "provider/compliance")
    with refused("participants: compliance key"):
        stage.settle(signed)
