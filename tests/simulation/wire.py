"""The network between services: it loses, doubles, delays and reorders messages, and keeps old ones to send again.

A message is what the product's client gives to HTTP, and goes to the endpoint functions that the product's door calls.
Its signature says who made it and binds each answer to its request, and its age is judged by wall clocks, as the real
one's; only the cryptography is left out.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, SimpleNamespace
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from contracts.terms.errors import BadSignature, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant
from serving.bodies import check_json
from serving.client import Peer, PeerClient
from serving.messages import Messenger, Sender
from serving.one_thread import run_here
from serving.problems import problem_of
from serving.replay import ReplayGuard
from serving.signed_form import CLOCKS_MAY_DIFFER, MAX_AGE, RequestMessage, ResponseMessage
from tests.simulation.databases import Disk
from tests.simulation.machine import Future, scheduler, wait, wall
from tests.simulation.scheduler import Process

BUSY = 12.0
"""Seconds for which a service has something to do after a message."""
Body = dict[str, Any]


class SimulatedMessenger(Messenger):
    """Signs with its name instead of its key."""

    def __init__(self, account: Address, directory: Any) -> None:
        self.account, self.directory = account, directory

    def _sign(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> None:
        nonce = scheduler().luck.randbytes(9).hex()
        covered = _covered(message, body)
        message.headers["Signature"] = f"{self.account} {nonce} {int(wall())} {covered}"

    def _verify(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> Sender:
        try:
            account, nonce, created, covered = message.headers["Signature"].split(" ")
        except (KeyError, ValueError):
            raise BadSignature("no signature") from None
        if covered != _covered(message, body):
            raise BadSignature("the signature is of something else")
        lifetime, slack = int(MAX_AGE.total_seconds()), CLOCKS_MAY_DIFFER.total_seconds()
        if not -slack <= wall() - int(created) <= lifetime + slack:
            raise BadSignature("made in the future, or too long ago")
        participant = self.directory.participant(account)
        if participant is None:
            raise BadSignature("not a member")
        return Sender(participant, nonce, int(created) + lifetime)


def _covered(message: RequestMessage | ResponseMessage, body: bytes) -> str:
    parts = [hashlib.sha256(body).hexdigest()]
    if isinstance(message, ResponseMessage):
        parts += [str(message.status_code), message.request.url, message.request.headers.get("Signature", "")]
    else:
        parts += [message.method, message.url]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


@dataclass
class Door:
    """What answers at one endpoint, in one life of its service: the product's routes behind the product's checks."""

    process: Process
    endpoint: str
    messenger: Messenger
    replay: ReplayGuard
    routes: dict[str, Callable[[bytes, Participant], tuple[int, bytes]]]
    wire: Wire
    disk: Disk
    lie: Callable[[str, Any], Any] | None = None

    def answer(self, path: str, signature: str, body: bytes) -> tuple[ResponseMessage, bytes]:
        """As `serving.peers.SignedRoute` does. Raises Killed."""
        message = RequestMessage("POST", self.endpoint + path, {"Signature": signature})
        try:
            verified = self.messenger.verify_request(message, body)
            remembered = self.replay.accept_once(verified)
            self.wire.hear(self.process, self.disk, verified.nonce)
            status, content = self._handled(path, body, verified.participant)
            self.replay.require_remembered(remembered)
        except Exception as error:
            status, content = _problem(path, error)
        if self.lie is not None and status < 300:
            content = json.dumps(self.lie(path, json.loads(content))).encode()
        answer = ResponseMessage(status, message, {})
        self.messenger.sign_response(answer, content)
        return answer, content

    def _handled(self, path: str, body: bytes, sender: Participant) -> tuple[int, bytes]:
        try:
            check_json(body)
            return self.routes[path](body, sender)
        except Exception as error:
            return _problem(path, error)


def _problem(path: str, error: Exception) -> tuple[int, bytes]:
    response = problem_of(cast(Request, SimpleNamespace(url=SimpleNamespace(path=path))), error)
    return response.status_code, bytes(response.body)


def routes_of(
    router: APIRouter, given: Sequence[object]
) -> dict[str, Callable[[bytes, Participant], tuple[int, bytes]]]:
    """The endpoint functions of a router by path. `given` are what their dependencies would find (a context)."""
    return {
        cast(Any, route).path: _calling(router, inspect.unwrap(cast(Any, route).endpoint), given)
        for route in router.routes
        if "/peer/" in cast(Any, route).path
    }


def _calling(
    router: APIRouter, endpoint: Callable[..., Any], given: Sequence[object]
) -> Callable[[bytes, Participant], tuple[int, bytes]]:
    asked = _asked(endpoint.__code__, endpoint)
    [(body_name, schema)] = [(n, kind) for n, kind in asked.items() if issubclass(kind, BaseModel)]
    fixed = {name: one for name, kind in asked.items() for one in given if isinstance(one, kind)}
    senders = [name for name, kind in asked.items() if kind is Participant]

    def call(body: bytes, sender: Participant) -> tuple[int, bytes]:
        for each in router.dependencies:
            run_here(cast(Any, each).dependency(sender))
        try:
            parsed = schema.model_validate(json.loads(body))
        except ValidationError as failure:
            raise RequestValidationError(failure.errors()) from failure
        return _written(endpoint(**fixed, **dict.fromkeys(senders, sender), **{body_name: parsed}))

    return call


_parameters: dict[CodeType, dict[str, Any]] = {}


def _asked(code: CodeType, endpoint: Callable[..., Any]) -> dict[str, Any]:
    """The types of an endpoint's parameters; an endpoint is made anew for some lives of a service."""
    if code not in _parameters:
        hints = typing.get_type_hints(endpoint)
        _parameters[code] = {name: hints[name] for name in inspect.signature(endpoint).parameters}
    return _parameters[code]


def _written(answer: Any) -> tuple[int, bytes]:
    if isinstance(answer, Response):
        return answer.status_code, bytes(answer.body)
    if isinstance(answer, BaseModel):
        return 200, answer.model_dump_json().encode()
    return 200, json.dumps(answer).encode()


class SimulatedPeerClient(PeerClient):
    """The product's client over this network."""

    def __init__(self, messenger: Messenger, wire: Wire, process: Process) -> None:
        self._wire, self._process = wire, process
        super().__init__(messenger)

    def post(self, peer: Peer, path: str, body: bytes) -> Any:
        if lie := self._wire.lies.get(self._process.name):
            body = json.dumps(lie(path, json.loads(body))).encode()
        return super().post(peer, path, body)

    def _connections(self) -> Any:
        return SimpleNamespace(close=lambda: None)

    def _exchange(self, peer: Peer, message: RequestMessage, body: bytes) -> tuple[ResponseMessage, bytes]:
        future = self._wire.send(self._process, peer.endpoint, message, body)
        wait([future], self._timeout)
        if not future.done():
            raise PeerUnavailable(f"{peer.endpoint} does not answer: timeout")
        answer, content = future.result()
        if answer is None:
            raise PeerUnavailable(f"{peer.endpoint} does not answer: refused")
        return ResponseMessage(answer.status_code, message, dict(answer.headers)), content


@dataclass
class Odds:
    """Shares of messages that meet each fate, and the longest delay (seconds)."""

    lost: float = 0.0
    doubled: float = 0.0
    kept: float = 0.0
    delayed: float = 0.0
    longest: float = 6.0


@dataclass
class Wire:
    """All messages of one run. `slow` are services that take so many seconds before they begin to answer."""

    watch: Callable[[str, str, str, Body | None, Body | None], None]
    trace: Callable[[str], None]
    odds: Odds = field(default_factory=Odds)
    doors: dict[str, Door] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    lies: dict[str, Callable[[str, Any], Any]] = field(default_factory=dict)
    sent: int = 0
    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("drop", "duplicate", "delay", "reorder"), 0))
    due: dict[int, str] = field(default_factory=dict)
    """What must happen to a message of this number, whatever the odds say."""
    newest: dict[str, int] = field(default_factory=dict)
    heard: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """By service and nonce: in which life it acted on the message, after how many transactions had begun."""
    """By service, what any of its lives has acted on."""

    def send(self, process: Process, endpoint: str, message: RequestMessage, body: bytes) -> Future:
        """Send a request; the future has (answer, content), or (None, b"") when nobody listens."""
        scheduler().require_alive()
        self.sent += 1
        number, future = self.sent, Future()
        process.busy_until = scheduler().now + BUSY
        path = message.url.removeprefix(endpoint)
        signature = message.headers["Signature"]
        said = f"#{number} {process.name} -> {endpoint.removeprefix('http://').removesuffix('.example')} {path}"
        fate = self._fate(number)
        if fate == "drop":
            self._note("drop", said)
            return future
        delay = self._delay()
        if fate == "delay":
            delay += 0.2 + scheduler().luck.random() * self.odds.longest
            self._note("delay", f"{said}, {delay:.1f} s")

        def arrive() -> None:
            self._arrive(number, said, endpoint, path, signature, body, future)

        scheduler().later(delay, arrive)
        if fate in ("duplicate", "keep", "overtake"):
            self._note("duplicate", said)
            self._again(fate, number, endpoint, arrive)
        return future

    def _again(self, fate: str, number: int, endpoint: str, arrive: Callable[[], None]) -> None:
        """The same message once more: soon, or much later from somebody who kept it, or once another overtook it."""

        def when_overtaken() -> None:
            if self.newest.get(endpoint, 0) > number:
                arrive()
            else:
                scheduler().later(0.5, when_overtaken)

        luck = scheduler().luck.random()
        if fate == "overtake":
            scheduler().later(0.5, when_overtaken)
        else:
            scheduler().later(luck * 3.0 if fate == "duplicate" else 5.0 + 35.0 * luck, arrive)

    def hear(self, process: Process, disk: Disk, nonce: str) -> None:
        """A service accepted a message and acts on it: no life of it did before, unless it died before anything that
        began since was durable, so that nothing came of it."""
        known = self.heard.setdefault(process.name, {})
        if nonce in known:
            life, begun = known[nonce]
            if life == len(disk.ends) or disk.ends[life] > begun:
                raise scheduler().fail(f"{process.name} acted on one message twice")
        known[nonce] = len(disk.ends), disk.begun

    def _fate(self, number: int) -> str:
        luck, odds = scheduler().luck.random(), self.odds
        for fate, share in (
            ("drop", odds.lost), ("duplicate", odds.doubled), ("keep", odds.kept), ("delay", odds.delayed)
        ):  # fmt: skip
            if luck < share:
                return self.due.pop(number, fate)
            luck -= share
        return self.due.pop(number, "")

    def _note(self, fate: str, said: str) -> None:
        self.fates[fate] += 1
        self.trace(f"{fate}: {said}")

    def _delay(self) -> float:
        return 0.002 + 0.03 * scheduler().luck.random()

    def _arrive(
        self, number: int, said: str, endpoint: str, path: str, signature: str, body: bytes, future: Future
    ) -> None:
        door = self.doors.get(endpoint)
        if self.newest.get(endpoint, 0) > number:
            self._note("reorder", said)
        self.newest[endpoint] = max(number, self.newest.get(endpoint, 0))
        if door is None or not door.process.alive:
            scheduler().later(self._delay(), lambda: _resolve(future, None, b""))
            return
        self.trace(said)
        door.process.busy_until = scheduler().now + BUSY
        scheduler().spawn(door.process, said, lambda: self._serve(door, said, path, signature, body, future))

    def _serve(self, door: Door, said: str, path: str, signature: str, body: bytes, future: Future) -> None:
        if slow := self.slow.get(door.process.name):
            scheduler().sleep(slow * scheduler().luck.random())
        answer, content = door.answer(path, signature, body)
        scheduler().require_alive()
        self.watch(door.process.name, path, signature.split(" ")[0], _read(body), _read(content))
        fate = scheduler().luck.random()
        if fate < self.odds.lost:
            self._note("drop", f"the answer to {said}")
            return
        self.trace(f"answer to {said}: {answer.status_code}")
        delay = self._delay()
        if fate > 1 - self.odds.delayed / 2:
            delay += scheduler().luck.random() * self.odds.longest
        scheduler().later(delay, lambda: _resolve(future, answer, content))


def _resolve(future: Future, answer: ResponseMessage | None, content: bytes) -> None:
    if not future.done():
        future.set_result((answer, content))


def _read(body: bytes) -> Body | None:
    found: Body = json.loads(body)
    return found
