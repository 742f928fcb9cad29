"""Participants.leave: with nothing owned or owed, for ever, and with all keys."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants, Purpose
from contracts.terms.commitments import keccak
from contracts.terms.parties import Role, Status

CNY, THB, DAY = 156, 764, 86_400


def leave(stage, name="acquirer", by="acquirer/settlement"):
    return stage.send(by, "Participants", "leave", stage.account(name))


def test_settlement_key_leaves(stage):
    leave(stage)
    gone = stage.participants.participant(stage.account("acquirer"))
    assert (gone.status, gone.endpoint, gone.codes) == (Status.LEFT, "", ())


def test_council_ends_a_suspended_participation(stage):
    acquirer = stage.account("acquirer")
    stage.govern_participants(Participants.suspend_call(acquirer), Participants.leave_call(acquirer))
    assert stage.participants.participant(acquirer).status == Status.LEFT


def test_all_keys_die_at_once(stage):
    """Also those whose overlap still ran."""
    account, end = stage.account("acquirer"), stage.now() + DAY
    stage.govern_participants(
        Participants.rotate_key_call(account, Purpose.SETTLEMENT, stage.account("extra_0"), end),
        Participants.rotate_key_call(account, Purpose.COMPLIANCE, stage.account("extra_1"), end),
        Participants.rotate_message_key_call(account, keccak(b"fresh"), end),
    )
    assert all(key.valid_until > stage.now() for key in stage.participants.keys_of(account))
    leave(stage, by="extra_0")
    left = stage.participants.keys_of(account)
    assert [key.purpose for key in left] == [1, 1, 2, 2, 3, 3]
    assert all(key.valid_until <= stage.now() for key in left)
    for key in (stage.account("acquirer/settlement"), stage.account("extra_0")):
        assert stage.participants.key_holder(key, Purpose.SETTLEMENT) is None
        assert stage.participants.key(key).account == account


def test_who_left_settles_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    leave(stage)
    with refused("participants: not a member"):
        stage.settle(signed)


@pytest.mark.parametrize("by", ["acquirer", "acquirer/compliance", "wallet/settlement", "stranger", "governor_1"])
def test_nobody_else_ends_a_participation(stage, refused, by):
    with refused("participants: not the settlement key"):
        leave(stage, by=by)


def test_revoked_settlement_key_does_not_leave(stage, refused):
    stage.send("acquirer/settlement", "Participants", "revoke_key", stage.account("acquirer/settlement"))
    with refused("participants: not the settlement key"):
        leave(stage)


def test_replaced_settlement_key_does_not_leave(stage, refused):
    """Its overlap is for signatures under way, not for an act that nothing undoes."""
    call = Participants.rotate_key_call(
        stage.account("acquirer"), Purpose.SETTLEMENT, stage.account("extra_0"), stage.now() + DAY
    )
    stage.govern_participants(call)
    with refused("participants: not the settlement key"):
        leave(stage)


def test_nobody_leaves_twice(stage, refused):
    leave(stage)
    with refused("participants: left"):
        stage.govern_participants(Participants.leave_call(stage.account("acquirer")))


def test_stranger_does_not_leave(stage, refused):
    with refused("participants: unknown account"):
        stage.govern_participants(Participants.leave_call(stage.account("stranger")))


def test_smallest_balance_holds_back(stage, refused):
    stage.send("bank_thb", "Ledger", "issue", stage.account("acquirer"), THB, 1)
    with refused("participants: balance or cap"):
        leave(stage)
    stage.send("bank_thb", "Ledger", "redeem", stage.account("acquirer"), THB, 1)
    leave(stage)


def test_unused_cap_holds_back(stage, refused):
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 1)
    with refused("participants: balance or cap"):
        leave(stage)
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("acquirer"), CNY, 0)
    leave(stage)


def test_debt_holds_back_though_its_cap_is_withdrawn(stage, refused):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 1)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -1), ("provider", THB, 1))))
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 0)
    with refused("participants: balance or cap"):
        leave(stage)


def test_settlement_bank_in_office_stays(stage, refused):
    with refused("participants: settlement bank in office"):
        leave(stage, "bank_cny", "bank_cny/settlement")


def test_settlement_bank_leaves_once_all_its_offices_are_others(stage, refused):
    """Naming it twice for one currency is one office."""
    bank, heir = stage.account("bank_cny"), stage.account("bank_thb")
    stage.govern_participants(
        Participants.set_settlement_bank_call(CNY, bank),
        Participants.set_settlement_bank_call(702, bank),
        Participants.set_settlement_bank_call(CNY, heir),
    )
    with refused("participants: settlement bank in office"):
        leave(stage, "bank_cny", "bank_cny/settlement")
    stage.govern_participants(Participants.set_settlement_bank_call(702, heir))
    leave(stage, "bank_cny", "bank_cny/settlement")


def test_council_gives_who_left_nothing_back(stage, refused):
    """No key, code, endpoint, role or office: it left for ever."""
    leave(stage)
    gone, key = stage.account("acquirer"), stage.account("extra_0")
    for call in (
        Participants.rotate_key_call(gone, Purpose.SETTLEMENT, key, 0),
        Participants.rotate_message_key_call(gone, keccak(b"new"), 0),
        Participants.set_codes_call(gone, ["X:1"]),
        Participants.set_endpoint_call(gone, "http://back.test"),
        Participants.set_roles_call(gone, Role.SETTLEMENT_BANK),
    ):
        with refused("participants: left"):
            stage.govern_participants(call)


def test_who_left_receives_nothing(stage, refused):
    leave(stage)
    with refused("ledger: not an active participant"):
        stage.send("bank_thb", "Ledger", "issue", stage.account("acquirer"), THB, 1)
