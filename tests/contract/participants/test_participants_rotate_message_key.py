"""Participants.rotate_message_key: the settlement key or the council speaks for the Ed25519 key of the messages."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose
from contracts.terms.commitments import keccak

DAY = 86_400
OLD, NEW = keccak(b"message key of wallet"), keccak(b"fresh")


def rotate(stage, key=NEW, overlap_until=0, by="wallet/settlement", account="wallet"):
    return stage.send(by, "Participants", "rotate_message_key", stage.account(account), key, overlap_until)


def test_old_key_holds_until_its_overlap_ends(stage):
    end, wallet = stage.now() + 50, stage.account("wallet")
    rotate(stage, overlap_until=end)
    assert [stage.participants.message_key_holder(key) for key in (OLD, NEW)] == [wallet, wallet]
    old = stage.participants.message_key(OLD)
    assert (old.account, old.purpose, old.valid_until) == (wallet, Purpose.MESSAGE, end)
    assert stage.participants.participant(wallet).message_key == NEW
    stage.pass_time(50)
    assert [stage.participants.message_key_holder(key) for key in (OLD, NEW)] == [None, wallet]


def test_council_replaces_a_stolen_key_at_once(stage):
    stage.govern_participants(Participants.rotate_message_key_call(stage.account("wallet"), NEW, 0))
    assert stage.participants.message_key_holder(OLD) is None


@pytest.mark.parametrize("by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger", "governor_1"])
def test_no_other_key_speaks_for_the_message_key(stage, refused, by):
    with refused("participants: not the settlement key"):
        rotate(stage, by=by)


def test_replaced_settlement_key_speaks_no_more(stage, refused):
    call = Participants.rotate_key_call(
        stage.account("wallet"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
    )
    stage.govern_participants(call)
    with refused("participants: not the settlement key"):
        rotate(stage)


def test_stranger_has_no_message_key(stage, refused):
    with refused("participants: unknown account"):
        rotate(stage, by="stranger", account="stranger")


def test_who_left_gets_no_message_key(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: left"):
        stage.govern_participants(Participants.rotate_message_key_call(stage.account("acquirer"), NEW, 0))


def test_message_keys_overlap_is_bounded(stage, refused):
    with refused("participants: overlap too long"):
        rotate(stage, overlap_until=stage.now() + 8 * DAY)
    rotate(stage, overlap_until=stage.now() + 7 * DAY)


def test_message_key_is_not_empty(stage, refused):
    with refused("participants: empty key"):
        rotate(stage, bytes(32))


@pytest.mark.parametrize("taken", [OLD, keccak(b"message key of acquirer")])
def test_message_key_in_use(stage, refused, taken):
    with refused("participants: key in use"):
        rotate(stage, taken)


def test_dead_message_key_is_not_free_again(stage, refused):
    rotate(stage)
    with refused("participants: key in use"):
        rotate(stage, OLD)
    with refused("participants: key in use"):
        rotate(stage, OLD, by="acquirer/settlement", account="acquirer")


def test_rotation_does_not_revive_a_revoked_message_key(stage):
    stage.send("wallet/settlement", "Participants", "revoke_message_key", OLD)
    rotate(stage, overlap_until=stage.now() + DAY)
    assert stage.participants.message_key_holder(OLD) is None


def test_third_message_key_ends_the_firsts_overlap(stage):
    rotate(stage, overlap_until=stage.now() + DAY)
    rotate(stage, keccak(b"third"), stage.now() + DAY)
    assert stage.participants.message_key_holder(OLD) is None
    assert stage.participants.message_key_holder(NEW) == stage.account("wallet")
