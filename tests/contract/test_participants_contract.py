"""Participants: admission, standing, and keys that serve one purpose of one institution, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.chain.council import Call
from contracts.chain.participants import NO_ADDRESS, OPEN_ENDED, Participants, Purpose
from contracts.terms.commitments import keccak
from contracts.terms.errors import Forbidden
from contracts.terms.parties import Role, Status

DAY = 86_400


def admit(stage, admission):
    return stage.govern_participants(Participants.admit_call(admission))


def test_admitted_as_told(stage):
    admission = stage.admission("extra_0", Role.CREDITOR_AGENT | Role.DEBTOR_AGENT)
    account = admission.participant.account
    admit(stage, admission)
    assert stage.participants.participant(account) == admission.participant
    assert stage.participants.accounts()[-1] == account
    assert stage.participants.current_key(account, Purpose.SETTLEMENT) == admission.settlement_key
    key = stage.participants.key(admission.compliance_key)
    assert (key.account, key.purpose, key.valid_until) == (account, Purpose.COMPLIANCE, OPEN_ENDED)
    assert stage.participants.key_holder(admission.settlement_key, Purpose.SETTLEMENT) == account
    assert stage.participants.key_holder(admission.settlement_key, Purpose.COMPLIANCE) is None


def test_nobody_is_no_participant(stage):
    assert stage.participants.participant(stage.account("stranger")) is None
    assert stage.participants.key(stage.account("stranger")) is None


def test_longest_texts_fit(stage):
    admission = stage.admission("extra_0", Role.FX_PROVIDER)
    codes = tuple(f"{number:02d}".ljust(64, "9") for number in range(16))
    longest = replace(admission.participant, endpoint="e" * 128, codes=codes)
    admit(stage, replace(admission, participant=longest))
    assert stage.participants.participant(longest.account) == longest


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "wallet/settlement"])
@pytest.mark.parametrize("what", ["admit", "suspend", "reinstate", "set_codes", "set_settlement_bank"])
def test_council_alone(stage, refused, name, what):
    account = stage.account("wallet")
    calls = {
        "admit": Participants.admit_call(stage.admission("extra_0", Role.FX_PROVIDER)),
        "suspend": Participants.suspend_call(account),
        "reinstate": Participants.reinstate_call(account),
        "set_codes": Participants.set_codes_call(account, ["X:1"]),
        "set_settlement_bank": Participants.set_settlement_bank_call(156, account),
    }
    with refused("participants: only the council"):
        stage.sender(name).transact(stage.participants.address, calls[what])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": NO_ADDRESS}, "participants: account"),
        ({"roles": Role(0)}, "participants: roles"),
        ({"lei": "529900T8BM49AURSDO5"}, "participants: lei"),
        ({"message_key": bytes(32)}, "participants: empty key"),
    ],
    ids=["account", "roles", "lei", "message key"],
)
def test_incomplete_admission_refused(stage, refused, changes, reason):
    admission = stage.admission("extra_0", Role.FX_PROVIDER)
    with refused(reason):
        admit(stage, replace(admission, participant=replace(admission.participant, **changes)))


def test_one_may_have_all_roles(stage):
    admission = stage.admission("extra_0", Role(31))
    admit(stage, admission)
    assert stage.participants.participant(admission.participant.account).roles == Role(31)


def test_unknown_role_refused(stage, refused):
    admission = stage.admission("extra_0", Role.FX_PROVIDER)
    roles = Role.FX_PROVIDER.value | 32
    with refused("participants: roles"):
        admit(stage, replace(admission, participant=replace(admission.participant, roles=roles)))


def test_member_needs_both_keys(stage, refused):
    for missing in ("settlement_key", "compliance_key"):
        with refused("participants: empty key"):
            admit(stage, replace(stage.admission("extra_0", Role.FX_PROVIDER), **{missing: NO_ADDRESS}))


def test_settlement_bank_needs_no_compliance_key(stage):
    assert stage.participants.current_key(stage.account("bank_cny"), Purpose.COMPLIANCE) is None


def test_admitted_once(stage, refused):
    for standing in (Status.ACTIVE, Status.SUSPENDED):
        with refused("participants: already admitted"):
            admit(stage, stage.admission("wallet", Role.FX_PROVIDER))
        if standing is Status.ACTIVE:
            stage.govern_participants(Participants.suspend_call(stage.account("wallet")))


def test_no_key_serves_twice(stage, refused):
    fresh = stage.admission("extra_0", Role.FX_PROVIDER)
    taken = stage.admission("wallet", Role.FX_PROVIDER)
    attempts = [
        replace(fresh, settlement_key=taken.settlement_key),
        replace(fresh, settlement_key=taken.compliance_key),
        replace(fresh, compliance_key=taken.settlement_key),
        replace(fresh, compliance_key=fresh.settlement_key),
        replace(fresh, participant=replace(fresh.participant, message_key=taken.participant.message_key)),
    ]
    for attempt in attempts:
        with refused("participants: key in use"):
            admit(stage, attempt)


def test_dead_key_is_not_free_again(stage, refused):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    for holder in ("wallet", "acquirer"):
        call = Participants.rotate_key_call(
            stage.account(holder), Purpose.SETTLEMENT, stage.account("wallet/settlement"), 0
        )
        with refused("participants: key in use"):
            stage.govern_participants(call)


def test_suspend_and_reinstate(stage, refused):
    wallet = stage.account("wallet")
    with refused("participants: not suspended"):
        stage.govern_participants(Participants.reinstate_call(wallet))
    stage.govern_participants(Participants.suspend_call(wallet))
    assert stage.participants.participant(wallet).status == Status.SUSPENDED
    with refused("participants: not active"):
        stage.govern_participants(Participants.suspend_call(wallet))
    stage.govern_participants(Participants.reinstate_call(wallet))
    assert stage.participants.participant(wallet).status == Status.ACTIVE


def rotate(stage, by, account, purpose, new, overlap_until):
    call = Participants.rotate_key_call(stage.account(account), purpose, stage.account(new), overlap_until)
    return stage.sender(by).transact(stage.participants.address, call)


def test_key_rotates_itself_with_an_overlap(stage):
    end = stage.now() + 50
    rotate(stage, "wallet/compliance", "wallet", Purpose.COMPLIANCE, "extra_0", end)
    held = [stage.account("wallet/compliance"), stage.account("extra_0")]
    holders = [stage.participants.key_holder(key, Purpose.COMPLIANCE) for key in held]
    assert holders == [stage.account("wallet")] * 2
    assert stage.participants.key(held[0]).valid_until == end
    assert stage.participants.current_key(stage.account("wallet"), Purpose.COMPLIANCE) == held[1]
    stage.pass_time(50)
    assert stage.participants.key_holder(held[0], Purpose.COMPLIANCE) is None


@pytest.mark.parametrize("by", ["wallet/compliance", "wallet", "acquirer/settlement", "stranger", "guardian"])
def test_no_other_key_rotates(stage, refused, by):
    with refused("participants: not the current key"):
        rotate(stage, by, "wallet", Purpose.SETTLEMENT, "extra_0", 0)


def test_replaced_key_rotates_no_more(stage, refused):
    rotate(stage, "wallet/settlement", "wallet", Purpose.SETTLEMENT, "extra_0", stage.now() + DAY)
    with refused("participants: not the current key"):
        rotate(stage, "wallet/settlement", "wallet", Purpose.SETTLEMENT, "extra_1", 0)


def test_overlap_is_bounded(stage, refused):
    """To 7 days after the block that rotates, which is the one a second from now."""
    longest = stage.now() + 1 + 7 * DAY
    with refused("participants: overlap too long"):
        rotate(stage, "wallet/settlement", "wallet", Purpose.SETTLEMENT, "extra_0", longest + 1)
    rotate(stage, "wallet/settlement", "wallet", Purpose.SETTLEMENT, "extra_0", longest)


def test_council_rotates_a_lost_key(stage):
    wallet = stage.account("wallet")
    call = Participants.rotate_key_call(wallet, Purpose.SETTLEMENT, stage.account("extra_0"), 0)
    stage.govern_participants(call)
    assert stage.participants.key_holder(stage.account("extra_0"), Purpose.SETTLEMENT) == wallet
    assert stage.participants.key_holder(stage.account("wallet/settlement"), Purpose.SETTLEMENT) is None


def test_rotation_does_not_revive_a_revoked_key(stage, refused):
    revoked = stage.account("wallet/settlement")
    stage.send("wallet/settlement", "Participants", "revoke_key", revoked)
    with refused("participants: not the current key"):
        rotate(stage, "wallet/settlement", "wallet", Purpose.SETTLEMENT, "extra_0", stage.now() + DAY)
    stage.govern_participants(
        Participants.rotate_key_call(
            stage.account("wallet"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
        )
    )
    assert stage.participants.key_holder(revoked, Purpose.SETTLEMENT) is None


def test_rotation_names_a_purpose_and_an_account(stage, refused):
    wallet, key = stage.account("wallet"), stage.account("extra_0")
    for purpose in (0, 3):
        data = Participants.rotate_key_call(wallet, purpose, key, 0)
        with refused("participants: purpose"):
            stage.govern_participants(data)
    with refused("participants: unknown account"):
        rotate(stage, "stranger", "stranger", Purpose.SETTLEMENT, "extra_0", 0)
    with refused("participants: empty key"):
        stage.govern_participants(Participants.rotate_key_call(wallet, Purpose.SETTLEMENT, NO_ADDRESS, 0))


def test_key_or_council_revokes(stage, refused):
    key = stage.account("wallet/settlement")
    for name in ("wallet", "wallet/compliance", "stranger", "governor_1"):
        with refused("participants: not the key"):
            stage.send(name, "Participants", "revoke_key", key)
    stage.govern(Call(stage.participants.address, Participants.revoke_key_call(key)))
    assert stage.participants.key_holder(key, Purpose.SETTLEMENT) is None
    assert stage.participants.key(key).account == stage.account("wallet")


def test_dead_or_unknown_key_is_not_revoked(stage, refused):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    for name in ("wallet/settlement", "stranger"):
        with refused("participants: dead key"):
            stage.send(name, "Participants", "revoke_key", stage.account(name))


def test_settlement_key_moves_endpoint_and_message_key(stage):
    wallet, fresh = stage.account("wallet"), keccak(b"fresh")
    stage.send("wallet/settlement", "Participants", "set_endpoint", wallet, "http://new.test")
    stage.send("wallet/settlement", "Participants", "rotate_message_key", wallet, fresh, 0)
    participant = stage.participants.participant(wallet)
    assert (participant.endpoint, participant.message_key) == ("http://new.test", fresh)
    stage.govern_participants(Participants.set_endpoint_call(wallet, "http://newer.test"))
    assert stage.participants.participant(wallet).endpoint == "http://newer.test"


@pytest.mark.parametrize("by", ["wallet", "wallet/compliance", "acquirer/settlement", "stranger"])
def test_others_move_nothing(stage, refused, by):
    wallet = stage.account("wallet")
    with refused("participants: not the settlement key"):
        stage.send(by, "Participants", "set_endpoint", wallet, "http://evil.test")
    with refused("participants: not the settlement key"):
        stage.send(by, "Participants", "rotate_message_key", wallet, keccak(b"evil"), 0)


def test_revoked_settlement_key_moves_nothing(stage):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    with pytest.raises(Forbidden):
        stage.send("wallet/settlement", "Participants", "set_endpoint", stage.account("wallet"), "http://evil.test")


def test_message_key_is_new_and_not_empty(stage, refused):
    wallet = stage.account("wallet")
    used = stage.participants.participant(stage.account("acquirer")).message_key
    own = stage.participants.participant(wallet).message_key
    for key, reason in ((used, "key in use"), (own, "key in use"), (bytes(32), "empty key")):
        with refused(f"participants: {reason}"):
            stage.send("wallet/settlement", "Participants", "rotate_message_key", wallet, key, 0)


def test_codes_by_the_council(stage, refused):
    wallet = stage.account("wallet")
    stage.govern_participants(Participants.set_codes_call(wallet, ["SG.PAYNOW:", "UNIONPAY:70290156"]))
    assert stage.participants.participant(wallet).codes == ("SG.PAYNOW:", "UNIONPAY:70290156")
    with refused("participants: unknown account"):
        stage.govern_participants(Participants.set_codes_call(stage.account("stranger"), []))


def test_settlement_bank_has_the_role(stage, refused):
    assert stage.participants.settlement_bank_of(156) == stage.account("bank_cny")
    assert stage.participants.settlement_bank_of(702) is None
    for name in ("wallet", "stranger"):
        with refused("participants: not a settlement bank"):
            stage.govern_participants(Participants.set_settlement_bank_call(702, stage.account(name)))
