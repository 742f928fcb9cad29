"""What Participants tells: records, standings, keys; of nobody, nothing."""

from __future__ import annotations

from contracts.chain.participants import NO_ADDRESS, OPEN_ENDED, KeyState, Participants, Purpose, key_address
from contracts.terms.commitments import keccak

ROLES = ("wallet", "acquirer", "provider", "bank_cny", "bank_thb")


def read(stage, function, *arguments):
    [answer] = stage.client.read("Participants", stage.participants.address, function, *arguments)
    return answer


def test_status_follows_the_standing(stage):
    acquirer = stage.account("acquirer")
    told = [read(stage, "status", stage.account("stranger")), read(stage, "status", acquirer)]
    for call in (Participants.suspend_call(acquirer), Participants.leave_call(acquirer)):
        stage.govern_participants(call)
        told.append(read(stage, "status", acquirer))
    assert told == [0, 1, 2, 3]


def test_accounts_keep_who_left(stage):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    assert stage.participants.accounts() == tuple(stage.account(name) for name in ROLES)


def test_nobody_is_no_participant_and_has_no_key(stage):
    nobody = stage.account("stranger")
    assert stage.participants.participant(nobody) is None
    assert stage.participants.key(nobody) is None
    assert stage.participants.message_key(keccak(b"nobody's")) is None
    assert stage.participants.keys_of(nobody) == ()
    assert stage.participants.settlement_bank_of(702) is None
    assert stage.participants.message_key_holder(bytes(32)) is None


def test_zero_address_holds_nothing(stage):
    for purpose in (0, 1, 2, 3):
        assert read(stage, "key_holder", NO_ADDRESS, purpose) == NO_ADDRESS
        assert read(stage, "current_key", NO_ADDRESS, purpose) == NO_ADDRESS


def test_keys_of_a_participant_newest_first(stage):
    wallet, end = stage.account("wallet"), stage.now() + 60
    stage.send(
        "wallet/settlement", "Participants", "rotate_key", wallet, Purpose.SETTLEMENT, stage.account("extra_0"), end
    )
    told = stage.participants.keys_of(wallet)
    assert [each.purpose for each in told] == [1, 1, 2, 3]
    assert [each.valid_until for each in told] == [OPEN_ENDED, end, OPEN_ENDED, OPEN_ENDED]
    names = ("extra_0", "wallet/settlement", "wallet/compliance")
    assert [key_address(each.key) for each in told[:3]] == [stage.account(name) for name in names]
    assert told[3] == KeyState(keccak(b"message key of wallet"), Purpose.MESSAGE, OPEN_ENDED)


def test_key_is_held_for_its_own_purpose_only(stage):
    key = stage.account("wallet/settlement")
    held = [read(stage, "key_holder", key, purpose) for purpose in (0, 1, 2, 3)]
    assert held == [NO_ADDRESS, stage.account("wallet"), NO_ADDRESS, NO_ADDRESS]


def test_current_key_has_one_of_two_purposes(stage):
    wallet = stage.account("wallet")
    told = [read(stage, "current_key", wallet, purpose) for purpose in (0, 1, 2, 3)]
    names = ("wallet/settlement", "wallet/compliance")
    assert told == [NO_ADDRESS, *(stage.account(name) for name in names), NO_ADDRESS]


def test_account_is_no_key_but_taken(stage):
    record = stage.participants.key(stage.account("wallet"))
    assert (record.account, record.purpose, record.valid_until) == (stage.account("wallet"), 0, 0)
