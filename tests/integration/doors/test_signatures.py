"""Only a whole, fresh message, signed for this very request by an active member's living key, passes a door between
institutions; whatever else comes is answered with 401, and nothing of it is recorded."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from contracts.chain.participants import Participants
from contracts.terms.errors import BadSignature
from contracts.terms.parties import Participant
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.signed_form import REQUEST_COMPONENTS, RequestMessage, ResponseMessage

from .conftest import BRIDGE, COMPLIANCE, CREDITOR, DEBTOR, DOORS, JSON, NODE, OTHER, OWNER, PEER, Network, until

ROUTES = {
    NODE: "/peer/v1/payments/status",
    BRIDGE: "/peer/v1/quotes",
    COMPLIANCE: "/peer/v1/screenings",
}
UETR = "5f0c8c4e-6d0e-4a52-9d5b-6a1d6f6b0f11"
BODIES: dict[str, Any] = {
    NODE: {"uetrs": [UETR]},
    BRIDGE: {
        "requests": [{"request_id": "1", "source_currency": 764, "target_currency": 156, "target_amount": "1000"}]
    },
    COMPLIANCE: {
        "screenings": [
            {
                "uetr": UETR,
                "side": "debtor",
                "debtor": None,
                "creditor": None,
                "debtor_agent": "0x" + "1" * 40,
                "creditor_agent": "0x" + "2" * 40,
                "legs": [],
            }
        ]
    },
}
"""Questions that each door answers with 200, and of which the bridge and compliance keep something."""
OWN = "of-a-test-"
"""How the nonces of these tests begin."""
COMPONENTS = ('"@method"', '"@target-uri"', '"content-digest"')


@dataclass(frozen=True)
class Signed:
    """A request as its sender signs it; each part may be changed, before the signature is made or after."""

    method: str
    url: str
    body: bytes
    account: str
    key: MessageKey
    parameters: dict[str, str]
    components: tuple[str, ...] = COMPONENTS
    signed_url: str = ""
    host: str = ""

    @property
    def input(self) -> str:
        said = "".join(f";{name}={value}" for name, value in self.parameters.items())
        return f"({' '.join(self.components)}){said}"

    def headers(self) -> dict[str, str]:
        """Made by hand after RFC 9421, section 2.5, so that anything may be signed."""
        messenger = Messenger(self.account, self.key, _Nobody())
        url = self.signed_url or self.url
        digested = RequestMessage(self.method, url, dict(JSON))
        messenger.sign_request(digested, self.body)
        values = {'"@method"': self.method, '"@target-uri"': url}
        values['"content-digest"'] = digested.headers["Content-Digest"]
        lines = [f"{each}: {values[each]}" for each in self.components]
        base = "\n".join([*lines, f'"@signature-params": {self.input}'])
        signature = base64.b64encode(self.key.private.sign(base.encode())).decode()
        return {
            **JSON,
            "Content-Digest": digested.headers["Content-Digest"],
            "Signature-Input": f"feiqian={self.input}",
            "Signature": f"feiqian=:{signature}:",
        }


class _Nobody:
    def participant(self, account: str) -> Participant | None:
        return None

    def message_keys(self, account: str) -> tuple[bytes, ...]:
        return ()


@dataclass
class Door:
    """One service's door, and a member whose questions it answers."""

    network: Network
    service: str

    def good(self, **parameters: str) -> Signed:
        slug, now = PEER[self.service], int(time.time())
        said = {
            "created": str(now),
            "keyid": f'"{self.network.account(slug)}"',
            "alg": '"ed25519"',
            "expires": str(now + 60),
            "nonce": f'"{OWN}{time.monotonic_ns()}"',
            "tag": '"feiqian"',
        }
        url, body = self.network.url(self.service) + ROUTES[self.service], json.dumps(BODIES[self.service]).encode()
        account, key = self.network.account(slug), self.network.key(slug)
        return Signed("POST", url, body, account, key, said | parameters)

    def send(self, made: Signed, headers: dict[str, str] | None = None, body: bytes | None = None) -> httpx2.Response:
        content = made.body if body is None else body
        return self.network.http.request(made.method, made.url, content=content, headers=headers or made.headers())


@pytest.fixture
def door(network: Network, request: pytest.FixtureRequest) -> Door:
    return Door(network, request.param)


@pytest.fixture
def closed(door: Door) -> Iterator[Door]:
    """A door that records nothing in this test."""
    before = kept(door)
    yield door
    assert kept(door) == before


def kept(door: Door, *aside: str) -> dict[str, int]:
    """How much a service has recorded, but what passing time makes it record and what others ask it meanwhile."""
    network, service = door.network, door.service
    tests_own = {"seen_messages": network.count(service, "seen_messages", f"nonce LIKE '{OWN}%'")}
    found = network.rows(service, ("claims", "final_blocks", "seen_messages")) | tests_own
    return {name: rows for name, rows in found.items() if name not in aside}


def assert_refused(answer: httpx2.Response) -> None:
    assert answer.status_code == 401, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] in ("urn:feiqian:problem:bad-signature", "urn:feiqian:problem:replayed")


EACH = pytest.mark.parametrize("door", DOORS, indirect=True)


@EACH
def test_the_whole_message_passes_and_its_nonce_is_kept(door: Door) -> None:
    before = kept(door)
    assert door.send(door.good()).status_code == 200
    after = kept(door)
    assert after["seen_messages"] > before["seen_messages"]
    assert door.send(replace(door.good(), components=COMPONENTS[::-1])).status_code == 200, "in any order"


# --- each covered part, one by one ------------------------------------------------------------------------------------

Change = Callable[[Door, Signed], httpx2.Response]


def _header(name: str, change: Callable[[str], str]) -> Change:
    def send(door: Door, made: Signed) -> httpx2.Response:
        headers = made.headers()
        changed = change(headers[name])
        assert changed != headers[name]
        return door.send(made, headers | {name: changed})

    return send


def _without(name: str) -> Change:
    return lambda door, made: door.send(made, {key: text for key, text in made.headers().items() if key != name})


def _parameter(name: str, value: str) -> Change:
    return _header("Signature-Input", lambda text: re.sub(rf';{name}=("[^"]*"|[0-9]+)', f";{name}={value}", text))


def _sent_to(suffix: str) -> Change:
    return lambda door, made: door.send(replace(made, url=made.url + suffix, signed_url=made.url))


def _signed_for(change: Callable[[str], str]) -> Change:
    return lambda door, made: door.send(replace(made, signed_url=change(made.url)))


def _digest(door: Door, made: Signed) -> httpx2.Response:
    other = replace(made, body=made.body + b" ")
    return door.send(made, made.headers() | {"Content-Digest": other.headers()["Content-Digest"]}, other.body)


def _flipped(text: str) -> str:
    at = text.index(":") + 1
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _own_host(door: Door, made: Signed) -> httpx2.Response:
    """A Host header is what a caller says: signed for another service, it stays another service's."""
    headers = replace(made, signed_url="http://other.test" + ROUTES[door.service]).headers()
    return door.send(made, headers | {"Host": "other.test"})


NOW = int(time.time())
TAMPERED: dict[str, Change] = {
    "method": lambda door, made: door.send(made, replace(made, method="PUT").headers()),
    "path": _signed_for(lambda url: url.replace("/v1/", "/v2/")),
    "query added": _sent_to("?more=1"),
    "query left out": _signed_for(lambda url: url + "?more=1"),
    "authority": _signed_for(lambda url: url.replace("127.0.0.1", "127.0.0.2")),
    "port": _signed_for(lambda url: url[:16] + "1" + url[17:]),
    "scheme": _signed_for(lambda url: url.replace("http:", "https:")),
    "host header": _own_host,
    "body": lambda door, made: door.send(made, body=made.body + b" "),
    "no body": lambda door, made: door.send(made, body=b""),
    "body and digest": _digest,
    "digest": _header("Content-Digest", _flipped),
    "digest of another kind": _header("Content-Digest", lambda text: text.replace("sha-256", "sha-512")),
    "digest left out": _without("Content-Digest"),
    "signature": _header("Signature", _flipped),
    "signature left out": _without("Signature"),
    "signature input left out": _without("Signature-Input"),
    "signature's label": _header("Signature", lambda text: text.replace("feiqian", "other")),
    "created": _parameter("created", str(NOW - 7)),
    "expires": _parameter("expires", str(NOW + 3_000)),
    "nonce": _parameter("nonce", f'"{OWN}another"'),
    "keyid": _parameter("keyid", '"0x' + "9" * 40 + '"'),
    "keyid that is no account": _parameter("keyid", '"somebody"'),
    "alg": _parameter("alg", '"hmac-sha256"'),
    "tag": _parameter("tag", '"other"'),
}


@EACH
@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_covered_part_that_was_changed(closed: Door, change: Change) -> None:
    assert_refused(change(closed, closed.good()))


# --- signed, but not what must be signed ------------------------------------------------------------------------------

MINUTE = 60
WRONG: dict[str, Callable[[Door], Signed]] = {
    **{
        f"{component} not covered": lambda door, left=component: replace(
            door.good(), components=tuple(each for each in COMPONENTS if each != left)
        )
        for component in COMPONENTS
    },
    "nothing covered": lambda door: replace(door.good(), components=()),
    **{
        f"no {name}": lambda door, left=name: replace(
            door.good(), parameters={each: said for each, said in door.good().parameters.items() if each != left}
        )
        for name in ("created", "expires", "nonce", "keyid", "tag")
    },
    "old": lambda door: door.good(created=str(int(time.time()) - 5 * MINUTE)),
    "long expired": lambda door: door.good(expires=str(int(time.time()) - MINUTE)),
    "from the future": lambda door: door.good(created=str(int(time.time()) + MINUTE)),
    "from another year": lambda door: door.good(created=str(int(time.time()) + 400 * 24 * 3600)),
    "created before time": lambda door: door.good(created="-1"),
    "created as text": lambda door: door.good(created='"now"'),
    "created when no calendar goes": lambda door: door.good(created="999999999999999"),
    "expires when no calendar goes": lambda door: door.good(expires="999999999999999"),
    "expires as text": lambda door: door.good(expires='"later"'),
    "empty nonce": lambda door: door.good(nonce='""'),
    "endless nonce": lambda door: door.good(nonce=f'"{OWN:n<129}"'),
    "nonce as a number": lambda door: door.good(nonce="7"),
    "another purpose": lambda door: door.good(tag='"other"'),
    "another algorithm": lambda door: door.good(alg='"rsa-pss-sha512"'),
    "another member's name": lambda door: door.good(keyid=f'"{door.network.account(OTHER.slug)}"'),
    "another member's key": lambda door: replace(door.good(), key=door.network.key(OTHER.slug)),
    "a key of nobody": lambda door: replace(door.good(), key=MessageKey(b"\x55" * 32)),
    "no member": lambda door: replace(
        door.good(keyid=f'"{door.network.account("deployer")}"'), key=MessageKey(b"\x55" * 32)
    ),
    "a member without messages": lambda door: door.good(keyid=f'"{door.network.account("bank-thb")}"'),
}


@EACH
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_right_signature_of_the_wrong_thing(closed: Door, wrong: Callable[[Door], Signed]) -> None:
    assert_refused(closed.send(wrong(closed)))


# --- once -------------------------------------------------------------------------------------------------------------


@EACH
def test_once_and_after_a_restart_never_again(door: Door) -> None:
    made = door.good()
    headers = made.headers()
    assert door.send(made, headers).status_code == 200
    # Nonces are forgotten a while after their signatures have expired.
    before = kept(door, "seen_messages")
    again = [door.send(made, headers)]
    # The same nonce, although everything else about it is new.
    again.append(door.send(door.good(nonce=made.parameters["nonce"])))
    door.network.restart(door.service)
    again.append(door.send(made, headers))
    for answer in again:
        assert_refused(answer)
        assert answer.json()["reason"] == "DUPL"
    assert kept(door, "seen_messages") == before


# --- answers and questions --------------------------------------------------------------------------------------------


@EACH
def test_the_signature_of_an_answer_signs_no_question(closed: Door) -> None:
    """An answer that the member itself signed to somebody, sent to a door as if it were a question."""
    network, made = closed.network, closed.good()
    asked, headers = RequestMessage("POST", made.url, made.headers()), dict[str, str]()
    network.messenger(PEER[closed.service]).sign_response(ResponseMessage(200, asked, headers), made.body)
    assert_refused(closed.send(made, JSON | headers))


@EACH
def test_the_signature_of_a_question_signs_no_answer(door: Door) -> None:
    network, made = door.network, door.good()
    asked = RequestMessage("POST", made.url, made.headers())
    reader = network.messenger(PEER[door.service])
    answer = door.send(made, asked.headers)  # type: ignore[arg-type]
    right = ResponseMessage(answer.status_code, asked, dict(answer.headers))
    assert reader.verify_response(right, answer.content).participant.account == network.account(OWNER[door.service])
    question = RequestMessage("POST", made.url, dict(JSON))
    network.messenger(OWNER[door.service]).sign_request(question, answer.content)
    for status in (200, 401):
        with pytest.raises(BadSignature):
            reader.verify_response(ResponseMessage(status, asked, dict(question.headers)), answer.content)
    other = RequestMessage("POST", made.url, door.good().headers())
    with pytest.raises(BadSignature):
        reader.verify_response(replace(right, request=other), answer.content)
    assert set(REQUEST_COMPONENTS) == {each.strip('"') for each in COMPONENTS}


# --- keys that change -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rotated(network: Network) -> MessageKey:
    """A new message key of the third institution, whose old one lives on until the test revokes it."""
    new = MessageKey(b"\x66" * 32)
    overlap_until = network.chain.final_header().timestamp + 3_600
    network.govern(Participants.rotate_message_key_call(network.account(OTHER.slug), new.public, overlap_until))
    return new


def _asked_by(network: Network, service: str, key: MessageKey) -> int:
    body = json.dumps(BODIES[service]).encode()
    return network.send(network.signed(service, ROUTES[service], body, OTHER.slug, key), body).status_code


def test_an_old_key_lives_as_long_as_its_overlap_and_no_longer(network: Network, rotated: MessageKey) -> None:
    old = network.key(OTHER.slug)
    known = {NODE: 200, BRIDGE: 200, COMPLIANCE: 403}
    for service, status in known.items():
        until(lambda each=service: _asked_by(network, each, rotated) == known[each], f"{service} knows the new key")
        assert _asked_by(network, service, old) == status
    network.govern(Participants.revoke_message_key_call(old.public))
    for service, status in known.items():
        until(lambda each=service: _asked_by(network, each, old) == 401, f"{service} knows that the old key is dead")
        assert _asked_by(network, service, rotated) == status
    for service in DOORS:
        door = Door(network, service)
        before = kept(door)
        assert _asked_by(network, service, old) == 401
        assert kept(door) == before
    assert network.key(CREDITOR.slug).public != network.key(DEBTOR.slug).public
