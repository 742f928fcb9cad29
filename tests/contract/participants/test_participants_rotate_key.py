"""Participants.rotate_key: by the key itself or the council, with a bounded overlap, to a key that never served."""

from __future__ import annotations

import pytest

from contracts.chain.participants import NO_ADDRESS, Participants, Purpose

DAY = 86_400
KEYS = {Purpose.SETTLEMENT: "wallet/settlement", Purpose.COMPLIANCE: "wallet/compliance"}


def rotation(stage, purpose=Purpose.SETTLEMENT, new="extra_0", overlap_until=0, account="wallet"):
    return Participants.rotate_key_call(stage.account(account), purpose, stage.account(new), overlap_until)


def rotate(stage, by="wallet/settlement", **changes):
    return stage.sender(by).transact(stage.participants.address, rotation(stage, **changes))


def holder(stage, name, purpose):
    return stage.participants.key_holder(stage.account(name), purpose)


@pytest.mark.parametrize("purpose", KEYS)
def test_key_replaces_itself_and_signs_on_for_a_while(stage, purpose):
    end, wallet = stage.now() + 50, stage.account("wallet")
    rotate(stage, KEYS[purpose], purpose=purpose, overlap_until=end)
    assert [holder(stage, each, purpose) for each in (KEYS[purpose], "extra_0")] == [wallet, wallet]
    assert stage.participants.key(stage.account(KEYS[purpose])).valid_until == end
    assert stage.participants.current_key(wallet, purpose) == stage.account("extra_0")
    stage.pass_time(50)
    assert holder(stage, KEYS[purpose], purpose) is None
    assert holder(stage, "extra_0", purpose) == wallet


@pytest.mark.parametrize("purpose", KEYS)
def test_overlap_in_the_past_ends_the_old_key_at_once(stage, purpose):
    rotate(stage, KEYS[purpose], purpose=purpose, overlap_until=stage.now())
    assert holder(stage, KEYS[purpose], purpose) is None


def test_council_rotates_a_lost_key(stage):
    stage.govern_participants(rotation(stage))
    assert holder(stage, "extra_0", Purpose.SETTLEMENT) == stage.account("wallet")
    assert holder(stage, "wallet/settlement", Purpose.SETTLEMENT) is None


def test_council_gives_a_bank_its_first_compliance_key(stage):
    stage.govern_participants(rotation(stage, Purpose.COMPLIANCE, account="bank_cny"))
    assert holder(stage, "extra_0", Purpose.COMPLIANCE) == stage.account("bank_cny")


def test_stranger_rotates_nothing(stage, refused):
    with refused("participants: unknown account"):
        rotate(stage, "stranger", account="stranger")


def test_who_left_rotates_nothing(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: left"):
        stage.govern_participants(rotation(stage, account="acquirer"))


@pytest.mark.parametrize("purpose", [0, 3, 4, 2**32 - 1])
def test_purpose_is_settlement_or_compliance(stage, refused, purpose):
    with refused("participants: purpose"):
        stage.govern_participants(rotation(stage, purpose))


@pytest.mark.parametrize(
    "by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger", "guardian", "governor_1"]
)
def test_no_other_key_rotates_the_settlement_key(stage, refused, by):
    with refused("participants: not the current key"):
        rotate(stage, by)


def test_settlement_key_does_not_make_itself_the_compliance_key(stage, refused):
    """Nor any other: it has no say in who attests."""
    for new in ("wallet/settlement", "extra_0"):
        with refused("participants: not the current key"):
            rotate(stage, purpose=Purpose.COMPLIANCE, new=new)


def test_settlement_key_gives_a_bank_no_compliance_key(stage, refused):
    """Where there is none yet, nobody can speak for it but the council."""
    with refused("participants: not the current key"):
        rotate(stage, "bank_cny/settlement", purpose=Purpose.COMPLIANCE, account="bank_cny")


def test_replaced_key_rotates_no_more(stage, refused):
    rotate(stage, overlap_until=stage.now() + DAY)
    with refused("participants: not the current key"):
        rotate(stage, new="extra_1")


def test_revoked_key_rotates_no_more(stage, refused):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    with refused("participants: not the current key"):
        rotate(stage)


def test_overlap_is_bounded(stage, refused):
    """To 7 days after the block that rotates, which is the one a second from now."""
    longest = stage.now() + 1 + 7 * DAY
    for overlap_until in (longest + 1, 2**64 - 1):
        with refused("participants: overlap too long"):
            rotate(stage, overlap_until=overlap_until)
    rotate(stage, overlap_until=longest)


def test_rotation_names_a_key(stage, refused):
    call = Participants.rotate_key_call(stage.account("wallet"), Purpose.SETTLEMENT, NO_ADDRESS, 0)
    with refused("participants: empty key"):
        stage.govern_participants(call)


@pytest.mark.parametrize("taken", ["wallet/compliance", "wallet/settlement", "acquirer/settlement", "wallet"])
def test_key_or_account_in_use_is_no_new_key(stage, refused, taken):
    with refused("participants: key in use"):
        rotate(stage, new=taken)


def test_dead_key_is_no_new_key(stage, refused):
    rotate(stage)
    with refused("participants: key in use"):
        rotate(stage, "extra_0", new="wallet/settlement")


def test_rotation_does_not_revive_a_revoked_key(stage):
    revoked = stage.account("wallet/settlement")
    stage.send("wallet/settlement", "Participants", "revoke_key", revoked)
    ended = stage.participants.key(revoked).valid_until
    stage.govern_participants(rotation(stage, overlap_until=stage.now() + DAY))
    assert stage.participants.key(revoked).valid_until == ended
    assert holder(stage, "wallet/settlement", Purpose.SETTLEMENT) is None


def test_third_key_ends_the_firsts_overlap(stage):
    """So that no crowd of old keys signs, and that who fears for an old key can end it by rotating again."""
    rotate(stage, overlap_until=stage.now() + DAY)
    rotate(stage, "extra_0", new="extra_1", overlap_until=stage.now() + DAY)
    living = [holder(stage, each, Purpose.SETTLEMENT) for each in ("wallet/settlement", "extra_0", "extra_1")]
    assert living == [None, stage.account("wallet"), stage.account("wallet")]


@pytest.mark.parametrize("overlap", [DAY, 0])
def test_old_key_settles_during_its_overlap_only(stage, refused, overlap):
    signed = stage.endorse(stage.batch())
    rotate(stage, overlap_until=stage.now() + overlap if overlap else 0)
    if overlap:
        stage.settle(signed)
        return
    with refused("participants: settlement key"):
        stage.settle(signed)


def test_old_compliance_key_attests_no_more_once_its_overlap_is_over(stage, refused):
    rotate(stage, "wallet/compliance", purpose=Purpose.COMPLIANCE, overlap_until=stage.now() + 5)
    stage.pass_time(5)
    with refused("participants: compliance key"):
        stage.settle(stage.endorse(stage.batch()))
