"""The key directory: who is who on the chain's newest final block, and whose keys are alive."""

from __future__ import annotations

import pytest

from contracts.chain.client import ChainClient
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.participants import Participants, Purpose
from contracts.terms.errors import BadSignature
from contracts.terms.parties import Role
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.signed_form import RequestMessage

OLD, NEW = MessageKey(b"\1" * 32), MessageKey(b"\2" * 32)


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    return Clock()


@pytest.fixture
def directory(stage, clock):
    return ChainKeyDirectory(stage.participants, max_age=3, min_age=1, clock=clock)


def test_directory_answers(stage, directory):
    wallet = stage.participants.participant(stage.account("wallet"))
    assert directory.participant(wallet.account) == wallet
    assert directory.by_message_key(wallet.message_key) == wallet
    assert directory.by_message_key(bytes(32)) is None
    assert directory.keys(wallet.account).settlement == {stage.account("wallet/settlement")}
    assert directory.keys(stage.account("bank_cny")).compliance == set()
    assert [each.account for each in directory.members()] == [
        stage.account(name) for name in ("wallet", "acquirer", "provider")
    ]
    assert [each.account for each in directory.with_role(Role.FX_PROVIDER)] == [stage.account("provider")]


def test_directory_finds_the_longest_prefix(stage, directory):
    codes = {"wallet": ["QR:", "QR:12", "PROXY:"], "acquirer": ["QR:1234", "PROXY:"], "provider": ["XX:123456"]}
    stage.govern_participants(*(Participants.set_codes_call(stage.account(n), each) for n, each in codes.items()))

    def answering(scheme: str, identifier: str) -> list[str]:
        return [each.account for each in directory.answering(scheme, identifier)]

    wallet, acquirer = stage.account("wallet"), stage.account("acquirer")
    assert answering("QR", "123456") == [acquirer]
    assert answering("QR", "125") == [wallet]
    assert answering("QR", "9") == [wallet]
    assert answering("PROXY", "+6591234567") == [wallet, acquirer]
    assert answering("Q", "R:123456") == []
    stage.govern_participants(Participants.suspend_call(acquirer))
    directory.refresh()
    assert answering("QR", "123456") == [wallet]


def test_directory_reads_anew_when_old_or_missing(stage, directory, clock):
    fresh = stage.admission("extra_0", Role.FX_PROVIDER)
    account, wallet = fresh.participant.account, stage.account("wallet")
    assert directory.participant(account) is None
    stage.govern_participants(Participants.admit_call(fresh), Participants.set_endpoint_call(wallet, "http://new.test"))
    clock.now = 0.9
    assert directory.participant(account) is None
    clock.now = 2.0
    assert directory.participant(wallet).endpoint == "http://wallet.test"
    assert directory.participant(account) == fresh.participant
    assert directory.participant(wallet).endpoint == "http://new.test"
    stage.govern_participants(Participants.set_endpoint_call(wallet, "http://newer.test"))
    clock.now = 5.1
    assert directory.participant(wallet).endpoint == "http://newer.test"


def test_directory_reads_only_what_changed(stage, clock, finality):
    class Counting:
        def __init__(self, transport) -> None:
            self.make_request = lambda method, params: (asked.append(method), transport.make_request(method, params))[1]
            self.make_batch_request = transport.make_batch_request

    asked: list[str] = []
    client = ChainClient(Counting(stage.client._transport), finality, stage.validators)
    directory = ChainKeyDirectory(Participants(client, stage.participants.address), max_age=3, clock=clock)
    directory.members()
    stage.pass_time(1)
    asked.clear()
    clock.now = 4.0
    assert len(directory.members()) == 3
    assert "eth_call" not in asked
    stage.govern_participants(Participants.suspend_call(stage.account("wallet")))
    clock.now = 8.0
    assert len(directory.members()) == 2


@pytest.fixture
def rotating(stage, directory):
    """The wallet's message key is OLD; the function given replaces it by NEW, `overlap` seconds long."""
    wallet = stage.account("wallet")
    stage.govern_participants(Participants.rotate_message_key_call(wallet, OLD.public, 0))

    def rotate(overlap: int) -> int:
        end = stage.now() + overlap
        stage.send("wallet/settlement", "Participants", "rotate_message_key", wallet, NEW.public, end)
        directory.refresh()
        return end

    return rotate


def takes(directory, stage, key):
    """Whether a peer takes a request that the wallet signs with this key."""
    message = RequestMessage("POST", "http://peer.test/x", {})
    Messenger(stage.account("wallet"), key, directory).sign_request(message, b"{}")
    try:
        sender = Messenger(stage.account("acquirer"), NEW, directory).verify_request(message, b"{}")
    except BadSignature:
        return False
    return sender.participant.account == stage.account("wallet")


def test_no_message_is_lost_while_a_message_key_is_replaced(stage, directory, rotating):
    """The operator rotates on chain, then restarts the node with the new key at any time of the overlap."""
    assert takes(directory, stage, OLD)
    end = rotating(100)
    for _ in range(5):
        assert takes(directory, stage, OLD)
        assert takes(directory, stage, NEW)
        stage.pass_time(10)
        directory.refresh()
    assert directory.message_keys(stage.account("wallet")) == (NEW.public, OLD.public)
    stage.pass_time(end - stage.now())
    directory.refresh()
    assert not takes(directory, stage, OLD)
    assert takes(directory, stage, NEW)
    assert directory.by_message_key(OLD.public) is None


def test_overlap_ends_without_another_look(stage, directory, rotating, clock):
    end = rotating(60)
    directory._max_age = 1_000
    clock.now += end - stage.now() - 1
    assert takes(directory, stage, OLD)
    clock.now += 1
    assert not takes(directory, stage, OLD)
    assert takes(directory, stage, NEW)
    assert directory.by_message_key(NEW.public).account == stage.account("wallet")


@pytest.mark.parametrize("key", [OLD, NEW])
def test_revoked_message_key_is_dead_at_once(stage, directory, rotating, key):
    rotating(60)
    stage.send("wallet/settlement", "Participants", "revoke_message_key", key.public)
    directory.refresh()
    assert [takes(directory, stage, each) for each in (OLD, NEW)] == [key is NEW, key is OLD]
    assert directory.by_message_key(key.public) is None


def test_both_keys_of_an_overlap_sign_for_their_member(stage, directory, clock):
    wallet, end = stage.account("wallet"), stage.now() + 60
    for purpose, new in ((Purpose.SETTLEMENT, "extra_0"), (Purpose.COMPLIANCE, "extra_1")):
        stage.govern_participants(Participants.rotate_key_call(wallet, purpose, stage.account(new), end))
    keys = directory.keys(wallet)
    assert keys.settlement == {stage.account("wallet/settlement"), stage.account("extra_0")}
    assert keys.compliance == {stage.account("wallet/compliance"), stage.account("extra_1")}
    stage.govern_participants(Participants.revoke_key_call(stage.account("wallet/settlement")))
    stage.pass_time(60)
    clock.now += 60
    keys = directory.keys(wallet)
    assert (keys.settlement, keys.compliance) == ({stage.account("extra_0")}, {stage.account("extra_1")})


def test_who_left_vanishes(stage, directory):
    """From the members, the roles and the codes; its record stays, its messages count no more."""
    acquirer = stage.account("acquirer")
    stage.govern_participants(Participants.rotate_message_key_call(acquirer, OLD.public, 0))
    directory.refresh()
    assert directory.answering("TEST", "acquirer")
    stage.send("acquirer/settlement", "Participants", "leave", acquirer)
    directory.refresh()
    assert [each.account for each in directory.members()] == [stage.account(name) for name in ("wallet", "provider")]
    assert acquirer not in [each.account for each in directory.with_role(Role.CREDITOR_AGENT)]
    assert directory.answering("TEST", "acquirer") == ()
    assert directory.participant(acquirer).account == acquirer
    assert directory.message_keys(acquirer) == ()
    assert directory.by_message_key(OLD.public) is None
    assert (directory.keys(acquirer).settlement, directory.keys(acquirer).compliance) == (set(), set())


def test_new_roles_count(stage, directory):
    stage.govern_participants(Participants.set_roles_call(stage.account("provider"), Role.CREDITOR_AGENT))
    directory.refresh()
    assert directory.with_role(Role.FX_PROVIDER) == ()
    assert directory.keys(stage.account("stranger")) is None
