"""Participants.check_members: who may stand in a batch, and whose signatures count for whom."""

from __future__ import annotations

import pytest

from contracts.chain.abi import encode_call
from contracts.chain.participants import NO_ADDRESS, Participants
from contracts.terms.parties import Role

MEMBERS = ("wallet", "acquirer", "provider")


def check(stage, members=MEMBERS, **changes):
    """The answer for these members with their own keys; `changes` gives one of them another."""
    accounts = [stage.account(name) for name in members]
    keys = {key: stage.account(key) for name in members for key in (f"{name}/settlement", f"{name}/compliance")}
    keys |= {name.replace("_", "/"): key for name, key in changes.items()}
    settlement, compliance = ([keys[f"{name}/{what}"] for name in members] for what in ("settlement", "compliance"))
    return ask(stage, accounts, settlement, compliance)


def ask(stage, *arguments):
    """Without an answer when there is nothing to say against it."""
    return stage.client.call(stage.participants.address, encode_call("Participants", "check_members", *arguments))


def test_members_with_their_own_keys_may(stage):
    assert check(stage) == b""
    assert check(stage, ()) == b""


@pytest.mark.parametrize("name", ["stranger", "bank_cny"])
def test_non_member_may_not(stage, refused, name):
    """Neither one unknown nor one whose roles stand in no batch."""
    with refused("participants: not a member"):
        check(stage, ("wallet", name))


def test_zero_address_is_no_member(stage, refused):
    """For which each unknown key would seem to sign."""
    with refused("participants: not a member"):
        ask(stage, [NO_ADDRESS], [NO_ADDRESS], [NO_ADDRESS])


def test_who_left_is_no_member(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: not a member"):
        check(stage)


def test_suspended_member_may_not(stage, refused):
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    with refused("participants: suspended"):
        check(stage)


def test_suspended_bank_is_no_member_first(stage, refused):
    stage.govern_participants(Participants.suspend_call(stage.account("bank_cny")))
    with refused("participants: not a member"):
        check(stage, ("bank_cny",))


@pytest.mark.parametrize("key", ["acquirer/settlement", "wallet/compliance", "wallet", "stranger"])
def test_foreign_settlement_key_does_not_count(stage, refused, key):
    with refused("participants: settlement key"):
        check(stage, wallet_settlement=stage.account(key))


@pytest.mark.parametrize("key", ["acquirer/compliance", "wallet/settlement", "wallet", "stranger"])
def test_foreign_compliance_key_does_not_count(stage, refused, key):
    with refused("participants: compliance key"):
        check(stage, wallet_compliance=stage.account(key))


def test_missing_signer_does_not_count(stage, refused):
    with refused("participants: settlement key"):
        check(stage, wallet_settlement=NO_ADDRESS)
    with refused("participants: compliance key"):
        check(stage, wallet_compliance=NO_ADDRESS)


def test_message_key_in_an_addresss_shape_does_not_sign(stage, refused):
    key = bytes.fromhex(stage.account("extra_0")[2:]).rjust(32, b"\0")
    stage.send("wallet/settlement", "Participants", "rotate_message_key", stage.account("wallet"), key, 0)
    with refused("participants: settlement key"):
        check(stage, wallet_settlement=stage.account("extra_0"))


def test_sixteen_members_may(stage):
    extras = [f"extra_{number}" for number in range(13)]
    for start in (0, 7):
        stage.govern_participants(
            *(Participants.admit_call(stage.admission(name, Role.FX_PROVIDER)) for name in extras[start : start + 7])
        )
    assert check(stage, (*MEMBERS, *extras)) == b""
