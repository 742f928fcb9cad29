"""Participants.set_roles: by the council, within what the participant's keys and office allow."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose
from contracts.terms.commitments import keccak
from contracts.terms.parties import Role


def set_roles(stage, name, roles):
    return stage.govern_participants(Participants.set_roles_call(stage.account(name), roles))


def roles_of(stage, name):
    return stage.participants.participant(stage.account(name)).roles


def test_roles_change(stage):
    set_roles(stage, "wallet", Role.DEBTOR_AGENT | Role.AUDITOR)
    assert roles_of(stage, "wallet") == Role.DEBTOR_AGENT | Role.AUDITOR


def test_suspended_participants_roles_change(stage):
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    set_roles(stage, "wallet", Role.CREDITOR_AGENT)
    assert roles_of(stage, "wallet") == Role.CREDITOR_AGENT


def test_who_lost_its_member_roles_settles_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    set_roles(stage, "acquirer", Role.AUDITOR)
    with refused("participants: not a member"):
        stage.settle(signed)


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "wallet/settlement"])
def test_roles_are_the_councils(stage, refused, name):
    with refused("participants: only the council"):
        stage.send(name, "Participants", "set_roles", stage.account("wallet"), int(Role.DEBTOR_AGENT))


def test_stranger_gets_no_role(stage, refused):
    with refused("participants: unknown account"):
        set_roles(stage, "stranger", Role.DEBTOR_AGENT)


def test_who_left_gets_no_role(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: left"):
        set_roles(stage, "acquirer", Role.CREDITOR_AGENT)


@pytest.mark.parametrize("roles", [0, 32, 2**255])
def test_unknown_roles_refused(stage, refused, roles):
    with refused("participants: roles"):
        set_roles(stage, "wallet", roles)


@pytest.fixture
def bank(stage):
    """A settlement bank with both keys that a member needs."""
    stage.govern_participants(
        Participants.rotate_key_call(stage.account("bank_cny"), Purpose.COMPLIANCE, stage.account("extra_0"), 0),
        Participants.rotate_message_key_call(stage.account("bank_cny"), keccak(b"bank's"), 0),
    )
    return "bank_cny"


def test_bank_with_keys_becomes_a_member(stage, bank):
    set_roles(stage, bank, Role.SETTLEMENT_BANK | Role.FX_PROVIDER)
    assert Role.FX_PROVIDER in roles_of(stage, bank)


@pytest.mark.parametrize("role", [Role.DEBTOR_AGENT, Role.CREDITOR_AGENT, Role.FX_PROVIDER])
def test_member_needs_a_compliance_key(stage, refused, role):
    call = Participants.rotate_message_key_call(stage.account("bank_cny"), keccak(b"bank's"), 0)
    stage.govern_participants(call)
    with refused("participants: empty key"):
        set_roles(stage, "bank_cny", Role.SETTLEMENT_BANK | role)


def test_member_needs_a_message_key_for_its_role(stage, refused):
    call = Participants.rotate_key_call(stage.account("bank_cny"), Purpose.COMPLIANCE, stage.account("extra_0"), 0)
    stage.govern_participants(call)
    with refused("participants: empty key"):
        set_roles(stage, "bank_cny", Role.SETTLEMENT_BANK | Role.FX_PROVIDER)


def test_auditor_needs_neither(stage):
    set_roles(stage, "bank_cny", Role.SETTLEMENT_BANK | Role.AUDITOR)
    assert Role.AUDITOR in roles_of(stage, "bank_cny")


def test_settlement_bank_in_office_keeps_its_role(stage, refused):
    with refused("participants: settlement bank in office"):
        set_roles(stage, "bank_cny", Role.AUDITOR)


def test_settlement_bank_out_of_office_may_lose_its_role(stage):
    call = Participants.set_settlement_bank_call(156, stage.account("bank_thb"))
    stage.govern_participants(call)
    set_roles(stage, "bank_cny", Role.AUDITOR)
    assert roles_of(stage, "bank_cny") == Role.AUDITOR
