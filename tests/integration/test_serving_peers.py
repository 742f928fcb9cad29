"""Institution to institution over real HTTP: only a whole, fresh, bound message of an active member is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from sqlalchemy import MetaData

from contracts.terms.errors import Busy, ChainUnavailable, NotAgreed, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant, Role, Status
from serving.app import new_app
from serving.bodies import MAX_BODY_BYTES, Schema
from serving.client import Peer, PeerClient, PeerRefusal
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.peers import PeerDoor, SignedRoute, sender
from serving.readiness import Readiness
from serving.replay import ReplayGuard, seen_messages_table
from serving.signed_form import REQUEST_COMPONENTS, RequestMessage
from tests import plain_http
from tests.databases import opened

ALICE, BOB, MALLORY, LEFT = ("0x" + digit * 40 for digit in "1234")
KEYS = {account: MessageKey(bytes([index]) * 32) for index, account in enumerate((ALICE, BOB, MALLORY, LEFT), 1)}
BODY = b'{"item": "a"}'


@dataclass
class Registry:
    """The members: a registry in memory with the reading side of the chain's."""

    status: dict[Address, Status] = field(
        default_factory=lambda: {ALICE: Status.ACTIVE, BOB: Status.ACTIVE, LEFT: Status.LEFT}
    )
    newer: dict[Address, bytes] = field(default_factory=dict)
    """Keys that replaced those of `KEYS`, whose overlap still runs."""
    away: bool = False

    def participant(self, account: Address) -> Participant | None:
        if account not in self.status:
            return None
        key = KEYS[account].public
        return Participant(account, "", "", "", Role.DEBTOR_AGENT, self.status[account], key, "", ())

    def message_keys(self, account: Address) -> tuple[bytes, ...]:
        if self.away:
            raise ChainUnavailable("the chain does not answer")
        newer = (self.newer[account],) if account in self.newer else ()
        return (*newer, KEYS[account].public) if account in self.status else ()


class Question(Schema):
    item: str


def router(acts: list[str]) -> APIRouter:
    routes = APIRouter(route_class=SignedRoute)

    @routes.post("/peer/v1/acts")
    def act(question: Question, caller: Participant = Depends(sender)) -> dict[str, str]:
        acts.append(question.item)
        return {"item": question.item, "caller": caller.account}

    @routes.post("/peer/v1/others")
    def other(request: Request) -> dict[str, str]:
        acts.append("other")
        return {"query": request.url.query}

    @routes.post("/peer/v1/refusals/{kind}")
    def refuse(kind: str) -> None:
        raise {"busy": Busy("wait"), "refused": NotAgreed("another amount"), "bug": ZeroDivisionError("secret")}[kind]

    return routes


@dataclass
class Door:
    """A running service of Bob's, what it did, and its callers."""

    endpoint: str
    registry: Registry
    acts: list[str]

    @property
    def peer(self) -> Peer:
        return Peer(BOB, self.endpoint)

    def client(self, account: Address = ALICE, key: Address | None = None) -> PeerClient:
        return PeerClient(Messenger(account, KEYS[key or account], self.registry))

    def signed(self, body: bytes = BODY, path: str = "/peer/v1/acts", account: Address = ALICE) -> RequestMessage:
        message = RequestMessage("POST", self.endpoint + path, {"Content-Type": "application/json"})
        Messenger(account, KEYS[account], self.registry).sign_request(message, body)
        return message

    def send(self, message: RequestMessage, body: bytes = BODY) -> httpx2.Response:
        headers = dict(message.headers)
        return plain_http.request(message.method, message.url, content=body, headers=headers)


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    socket = server.config.bind_socket()
    socket.listen()
    (thread := Thread(target=server.run, kwargs={"sockets": [socket]})).start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    metadata, acts, registry = MetaData(), [], Registry()
    table = seen_messages_table(metadata)
    database = opened(tmp_path_factory.mktemp("door") / "door.sqlite")
    database.migrate(metadata.create_all)

    app = new_app("door", "a door for tests", lambda _: _Lifespan(), Readiness(database, {}))
    app.include_router(router(acts))
    with serving(app) as endpoint:
        app.state.peer_door = PeerDoor(Messenger(BOB, KEYS[BOB], registry), ReplayGuard(database, table), endpoint)
        yield Door(endpoint, registry, acts)
    database.close()


class _Lifespan:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def door(running: Door) -> Iterator[Door]:
    """The door with nothing done yet. After a test of a refusal, nothing may have been done."""
    running.acts.clear()
    yield running
    running.registry.status |= Registry().status
    running.registry.newer.clear()
    running.registry.away = False


def assert_refused(door: Door, response: httpx2.Response) -> None:
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"].startswith("urn:feiqian:problem:")
    assert door.acts == []


def test_a_signed_request_is_answered_by_a_signed_answer(door: Door) -> None:
    assert door.client().post(door.peer, "/peer/v1/acts", BODY) == {"item": "a", "caller": ALICE}
    assert door.acts == ["a"]


def test_the_untampered_message_passes(door: Door) -> None:
    assert door.send(door.signed()).status_code == 200


def test_each_of_two_living_keys_signs_while_one_replaces_the_other(door: Door) -> None:
    door.registry.newer[ALICE] = KEYS[MALLORY].public
    for key in (ALICE, MALLORY):
        assert door.client(key=key).post(door.peer, "/peer/v1/acts", BODY)["caller"] == ALICE
    door.registry.newer[BOB] = KEYS[LEFT].public
    assert door.client().post(door.peer, "/peer/v1/acts", BODY)["caller"] == ALICE
    assert door.acts == ["a"] * 3


def test_two_living_keys_let_no_third_in(door: Door) -> None:
    door.registry.newer[ALICE] = KEYS[MALLORY].public
    message = RequestMessage("POST", door.endpoint + "/peer/v1/acts", {"Content-Type": "application/json"})
    Messenger(ALICE, KEYS[BOB], door.registry).sign_request(message, BODY)
    assert_refused(door, door.send(message))


def test_who_has_no_living_key_is_refused(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    message = door.signed()
    monkeypatch.setattr(door.registry, "message_keys", lambda account: ())
    assert_refused(door, door.send(message))


def test_a_query_is_part_of_what_is_signed(door: Door) -> None:
    message = door.signed(path="/peer/v1/others?a=1&b=%C3%A9")
    assert door.send(message).json() == {"query": "a=1&b=%C3%A9"}
    message = door.signed(path="/peer/v1/others?a=1")
    message.url = message.url.replace("a=1", "a=2")
    assert door.send(message).status_code == 401


# --- the tampering matrix -------------------------------------------------------------------------------------------

Tamper = Callable[[Door, RequestMessage], bytes | None]


def _header(name: str, change: Callable[[str], str]) -> Tamper:
    def tamper(door: Door, message: RequestMessage) -> None:
        found = next(key for key in message.headers if key.lower() == name)
        assert message.headers[found] != change(message.headers[found])
        message.headers[found] = change(message.headers[found])

    return tamper


def _without(name: str) -> Tamper:
    def tamper(door: Door, message: RequestMessage) -> None:
        message.headers.pop(next(key for key in message.headers if key.lower() == name))

    return tamper


def _other_path(door: Door, message: RequestMessage) -> None:
    message.url = door.endpoint + "/peer/v1/others"


def _more_query(door: Door, message: RequestMessage) -> None:
    message.url += "?more=1"


def _digest_of_other_body(door: Door, message: RequestMessage) -> bytes:
    """Body and digest altered together: only the signature over the digest is left to tell."""
    other = door.signed(b'{"item": "b"}')
    message.headers["Content-Digest"] = other.headers["Content-Digest"]
    return b'{"item": "b"}'


def _moved_in_time(text: str) -> str:
    created = int(text.split("created=")[1].split(";")[0])
    return text.replace(f"created={created}", f"created={created - 1}")


def _twice(door: Door, message: RequestMessage) -> None:
    """Two signatures with our tag: which of them counts must not be anybody's guess."""
    for name in ("Signature", "Signature-Input"):
        again = message.headers[name].replace("feiqian=", "second=", 1)
        message.headers[name] += f", {again}"


def _flipped(text: str) -> str:
    start = text.index(":") + 1
    return text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :]


MATRIX: dict[str, Tamper] = {
    "other body": lambda door, message: b'{"item": "b"}',
    "body cut off": lambda door, message: BODY[:-1],
    "empty body": lambda door, message: b"",
    "body and digest replaced": _digest_of_other_body,
    "digest altered": _header("content-digest", _flipped),
    "digest left out": _without("content-digest"),
    "other path": _other_path,
    "more query": _more_query,
    "signature flipped": _header("signature", _flipped),
    "signature left out": _without("signature"),
    "signature input left out": _without("signature-input"),
    "signature of another request": lambda door, m: m.headers.update(Signature=door.signed().headers["Signature"]),
    "method not covered": _header("signature-input", lambda text: text.replace('"@method" ', "")),
    "target not covered": _header("signature-input", lambda text: text.replace('"@target-uri" ', "")),
    "digest not covered": _header("signature-input", lambda text: text.replace(' "content-digest"', "")),
    "nothing covered": _header("signature-input", lambda text: "feiqian=()" + text[text.index(")") + 1 :]),
    "other nonce": _header("signature-input", lambda text: text.replace('nonce="', 'nonce="x')),
    "no nonce": _header("signature-input", lambda text: text.replace("nonce=", "alg2=")),
    "other sender": _header("signature-input", lambda text: text.replace(ALICE, BOB)),
    "unknown sender": _header("signature-input", lambda text: text.replace(ALICE, "0x" + "9" * 40)),
    "sender that is no address": _header("signature-input", lambda text: text.replace(ALICE, "alice")),
    "other tag": _header("signature-input", lambda text: text.replace('tag="feiqian"', 'tag="other"')),
    "other algorithm": _header("signature-input", lambda text: text.replace("ed25519", "hmac-sha256")),
    "created moved": _header("signature-input", _moved_in_time),
    "expiry far beyond": _header("signature-input", lambda text: text.replace("expires=", "expires=99999")),
    "input that is no structured field": _header("signature-input", lambda text: "((((" + text),
    "signature that is no structured field": _header("signature", lambda text: text + ",,"),
    "two signatures": _twice,
}


@pytest.mark.parametrize("tamper", MATRIX.values(), ids=MATRIX)
def test_tampering_is_refused(door: Door, tamper: Tamper) -> None:
    message = door.signed()
    body = tamper(door, message)
    assert_refused(door, door.send(message, BODY if body is None else body))


def test_another_method_is_refused(door: Door) -> None:
    message = door.signed(path="/peer/v1/others")
    message.method = "PUT"
    assert door.send(message).status_code == 405
    assert door.acts == []


class OneKey(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> Any:
        return KEYS[key_id].private

    def resolve_public_key(self, key_id: str) -> Any:
        raise NotImplementedError


def hand_signed(door: Door, **changes: Any) -> RequestMessage:
    """A message that Alice herself signed, other than her messenger would."""
    now = datetime.now(UTC)
    said = {"created": now, "expires": now + timedelta(seconds=60), "nonce": "n" + str(now.timestamp())}
    said |= {"tag": "feiqian", "label": "feiqian", "covered_component_ids": REQUEST_COMPONENTS}
    message = RequestMessage("POST", door.endpoint + "/peer/v1/acts", {"Content-Type": "application/json"})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=OneKey())
    signer.sign(message, key_id=ALICE, body=BODY, **(said | changes))
    return message


def test_a_message_signed_by_hand_passes_when_it_is_right(door: Door) -> None:
    assert door.send(hand_signed(door)).status_code == 200


NOW = timedelta(0)


@pytest.mark.parametrize(
    ("created", "expires"),
    [
        (timedelta(seconds=-200), timedelta(seconds=-140)),
        (timedelta(seconds=-200), timedelta(hours=1)),
        (NOW, timedelta(seconds=-10)),
        (timedelta(seconds=30), timedelta(seconds=90)),
        (timedelta(days=400), timedelta(days=401)),
    ],
    ids=["expired", "old, long life", "expiry past", "from the future", "from another year"],
)
def test_messages_out_of_their_time_are_refused(door: Door, created: timedelta, expires: timedelta) -> None:
    now = datetime.now(UTC)
    assert_refused(door, door.send(hand_signed(door, created=now + created, expires=now + expires)))


@pytest.mark.parametrize("lacking", ["nonce", "expires"])
def test_a_right_signature_without_nonce_or_expiry_is_refused(door: Door, lacking: str) -> None:
    assert_refused(door, door.send(hand_signed(door, **{lacking: None})))


@pytest.mark.parametrize("left_out", REQUEST_COMPONENTS[:2])
def test_a_right_signature_that_covers_less_is_refused(door: Door, left_out: str) -> None:
    covered = tuple(component for component in REQUEST_COMPONENTS if component != left_out)
    assert_refused(door, door.send(hand_signed(door, covered_component_ids=covered)))


def test_a_right_signature_for_another_purpose_is_refused(door: Door) -> None:
    assert_refused(door, door.send(hand_signed(door, tag="other")))


def test_the_same_message_is_accepted_once(door: Door) -> None:
    message = door.signed()
    assert door.send(message).status_code == 200
    again = door.send(message)
    assert (again.status_code, again.json()["reason"]) == (401, "DUPL")
    assert door.acts == ["a"]


def test_a_key_that_is_not_the_senders_is_refused(door: Door) -> None:
    with pytest.raises(PeerUnavailable, match="signature is not valid"):
        door.client(ALICE, key=MALLORY).post(door.peer, "/peer/v1/acts", BODY)
    assert door.acts == []


@pytest.mark.parametrize("account", [MALLORY, LEFT])
def test_who_is_no_active_member_is_refused(door: Door, account: Address) -> None:
    with pytest.raises(PeerUnavailable, match=r"not a member|not an active member"):
        door.client(account).post(door.peer, "/peer/v1/acts", BODY)
    assert door.acts == []


def test_a_suspended_member_is_refused_from_then_on(door: Door) -> None:
    client = door.client()
    client.post(door.peer, "/peer/v1/acts", BODY)
    door.registry.status[ALICE] = Status.SUSPENDED
    with pytest.raises(PeerUnavailable, match="not an active member"):
        client.post(door.peer, "/peer/v1/acts", BODY)
    assert door.acts == ["a"]


def test_without_the_registry_nobody_hears_that_a_signature_is_wrong(door: Door) -> None:
    message, door.registry.away = door.signed(), True
    assert (door.send(message).status_code, door.acts) == (503, [])
    with pytest.raises(PeerUnavailable, match="is not known"):
        door.client().post(door.peer, "/peer/v1/acts", BODY)


def test_an_unsigned_request_is_refused_before_its_body_is_read(door: Door) -> None:
    for body in (BODY, b"{" * 1000):
        assert_refused(door, plain_http.post(door.endpoint + "/peer/v1/acts", content=body))


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refusal_arrives_with_its_own_reason(door: Door) -> None:
    with pytest.raises(PeerRefusal) as refusal:
        door.client().post(door.peer, "/peer/v1/refusals/refused", BODY)
    found = refusal.value
    assert (found.status, found.iso_reason, found.problem) == (422, "AM09", "not-agreed")
    assert found.detail == "another amount"


@pytest.mark.parametrize("kind", ["busy", "bug"])
def test_what_may_pass_is_told_from_a_refusal(door: Door, kind: str) -> None:
    with pytest.raises(PeerUnavailable) as failure:
        door.client().post(door.peer, f"/peer/v1/refusals/{kind}", BODY)
    assert "secret" not in failure.value.detail


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"item": 5}', b'{"item": "a", "item": "b"}', b'{"item": "a", "more": 1}', b'{"item": "\\ud800"}'],
)
def test_a_signed_body_that_is_none_is_refused_with_a_signed_answer(door: Door, body: bytes) -> None:
    with pytest.raises(PeerRefusal) as refusal:
        door.client().post(door.peer, "/peer/v1/acts", body)
    assert (refusal.value.status, door.acts) == (400, [])


def test_a_body_too_large_is_not_taken(door: Door) -> None:
    body = b'{"item": "' + b"x" * MAX_BODY_BYTES + b'"}'
    assert door.send(door.signed(body), body).status_code == 413


# --- the other side: answers ----------------------------------------------------------------------------------------
