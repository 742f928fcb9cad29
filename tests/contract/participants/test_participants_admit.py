"""Participants.admit: whole, once, by the council, and with keys that serve nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.chain.participants import NO_ADDRESS, OPEN_ENDED, Participants, Purpose
from contracts.terms.commitments import keccak
from contracts.terms.parties import Role


def admit(stage, admission, **changes):
    participant = replace(admission.participant, **changes)
    return stage.govern_participants(Participants.admit_call(replace(admission, participant=participant)))


@pytest.fixture
def provider(stage):
    """An admission that the contract takes as it is."""
    return stage.admission("extra_0", Role.FX_PROVIDER)


def test_admitted_as_told(stage, provider):
    account = provider.participant.account
    admit(stage, provider)
    assert stage.participants.participant(account) == provider.participant
    assert stage.participants.accounts()[-1] == account
    key = stage.participants.key(provider.compliance_key)
    assert (key.account, key.purpose, key.valid_until) == (account, Purpose.COMPLIANCE, OPEN_ENDED)
    assert stage.participants.key_holder(provider.settlement_key, Purpose.SETTLEMENT) == account
    assert stage.participants.message_key_holder(provider.participant.message_key) == account


def test_longest_texts_fit(stage, provider):
    codes = tuple(f"{number:02d}".ljust(64, "9") for number in range(16))
    admit(stage, provider, endpoint="e" * 128, codes=codes)
    admitted = stage.participants.participant(provider.participant.account)
    assert (admitted.endpoint, admitted.codes) == ("e" * 128, codes)


def test_one_may_have_all_roles(stage):
    admission = stage.admission("extra_0", Role(31))
    admit(stage, admission)
    assert stage.participants.participant(admission.participant.account).roles == Role(31)


def test_settlement_bank_needs_no_compliance_or_message_key(stage):
    admission = stage.admission("extra_0", Role.SETTLEMENT_BANK)
    assert (admission.compliance_key, admission.participant.message_key) == (NO_ADDRESS, b"")
    admit(stage, admission)
    assert [each.purpose for each in stage.participants.keys_of(admission.participant.account)] == [Purpose.SETTLEMENT]


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "wallet/settlement"])
def test_admission_is_the_councils(stage, refused, provider, name):
    with refused("participants: only the council"):
        stage.sender(name).transact(stage.participants.address, Participants.admit_call(provider))


def test_admission_needs_an_account(stage, refused, provider):
    with refused("participants: account"):
        admit(stage, provider, account=NO_ADDRESS)


def test_active_participant_is_not_admitted_again(stage, refused, provider):
    with refused("participants: already admitted"):
        admit(stage, provider, account=stage.account("wallet"))


def test_suspended_participant_is_not_admitted_again(stage, refused, provider):
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    with refused("participants: already admitted"):
        admit(stage, provider, account=stage.account("wallet"))


def test_who_left_is_not_admitted_again(stage, refused, provider):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: already admitted"):
        admit(stage, provider, account=stage.account("acquirer"))


@pytest.mark.parametrize("roles", [0, 32, 4 | 32, 2**255])
def test_admission_has_known_roles(stage, refused, provider, roles):
    with refused("participants: roles"):
        admit(stage, provider, roles=roles)


@pytest.mark.parametrize("lei", ["", "529900T8BM49AURSDO5"])
def test_admission_needs_a_whole_lei(stage, refused, provider, lei):
    with refused("participants: lei"):
        admit(stage, provider, lei=lei)


@pytest.mark.parametrize("missing", ["settlement_key", "compliance_key"])
def test_member_needs_both_keys(stage, refused, provider, missing):
    with refused("participants: empty key"):
        admit(stage, replace(provider, **{missing: NO_ADDRESS}))


def test_member_needs_a_message_key(stage, refused, provider):
    with refused("participants: empty key"):
        admit(stage, provider, message_key=b"")


@pytest.mark.parametrize("purpose", ["settlement_key", "compliance_key"])
@pytest.mark.parametrize("taken", ["wallet/settlement", "wallet/compliance", "wallet", "extra_0"])
def test_key_of_another_purpose_member_or_account_is_in_use(stage, refused, provider, purpose, taken):
    """Also the address that is being admitted as the account itself."""
    with refused("participants: key in use"):
        admit(stage, replace(provider, **{purpose: stage.account(taken)}))


def test_one_key_does_not_serve_both_purposes(stage, refused, provider):
    with refused("participants: key in use"):
        admit(stage, replace(provider, compliance_key=provider.settlement_key))


def test_message_key_of_another_is_in_use(stage, refused, provider):
    with refused("participants: key in use"):
        admit(stage, provider, message_key=stage.participants.participant(stage.account("wallet")).message_key)


def test_message_key_is_no_other_key_in_disguise(stage, refused, provider):
    with refused("participants: key in use"):
        admit(stage, provider, message_key=bytes.fromhex(stage.account("wallet/settlement")[2:]).rjust(32, b"\0"))


def test_dead_key_is_not_free_for_a_newcomer(stage, refused, provider):
    stage.send("wallet/settlement", "Participants", "revoke_key", stage.account("wallet/settlement"))
    with refused("participants: key in use"):
        admit(stage, replace(provider, settlement_key=stage.account("wallet/settlement")))


def test_keys_of_who_left_are_not_free(stage, refused, provider):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: key in use"):
        admit(stage, replace(provider, compliance_key=stage.account("acquirer/compliance")))
    with refused("participants: key in use"):
        admit(stage, provider, message_key=keccak(b"message key of acquirer"))


@pytest.mark.parametrize("key", ["wallet/settlement", "wallet/compliance"])
def test_key_becomes_no_account(stage, refused, provider, key):
    """Its holder could transfer another participant's balance on the Ledger."""
    with refused("participants: key in use"):
        admit(stage, provider, account=stage.account(key))


def test_refused_admission_leaves_no_trace(stage, refused, provider):
    with refused("participants: empty key"):
        admit(stage, provider, message_key=b"")
    assert stage.participants.participant(provider.participant.account) is None
    assert stage.participants.key(provider.settlement_key) is None
    assert provider.participant.account not in stage.participants.accounts()
