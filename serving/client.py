"""Calling another institution's service: one signed request, one signed answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2

from contracts.terms.errors import BadSignature, FeiqianError, Malformed, PeerUnavailable, Refused, Unavailable
from contracts.terms.identifiers import Address
from serving.bodies import MAX_BODY_BYTES, check_json
from serving.messages import Messenger
from serving.signed_form import RequestMessage, ResponseMessage

_REASON = re.compile("[A-Z]{2}[A-Z0-9]{2}")
_KIND = re.compile("[a-z-]{1,60}")
_MAX_DETAIL = 300
_UNHEARD = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)


class PeerRefusal(Refused):
    """The other institution answered with a problem document; its own reason and detail are kept."""

    title = "The other institution refused"

    def __init__(self, detail: str, reason: str, status: int, kind: str) -> None:
        super().__init__(detail, peer_reason=reason, peer_status=status, peer_problem=kind)
        self.iso_reason, self.status, self.problem = reason, status, kind


@dataclass(frozen=True)
class Peer:
    """Where a service stands and which institution answers there."""

    account: Address
    endpoint: str


class PeerClient:
    """Signed JSON over HTTP: each answer whole within `timeout` seconds. Safe to use from several threads."""

    def __init__(self, messenger: Messenger, timeout: float = 5.0) -> None:
        self._messenger, self._timeout = messenger, timeout
        self._http = self._connections()

    def post(self, peer: Peer, path: str, body: bytes) -> Any:
        """POST JSON bytes to `peer` and return the parsed answer.

        Raises PeerUnavailable (no answer, one that is not provably this peer's answer to this request, or that it could
        not tell who asked) and PeerRefusal (a problem document, with the peer's ISO 20022 reason).
        """
        _require_url(peer)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        message = RequestMessage("POST", peer.endpoint + path, headers)
        self._messenger.sign_request(message, body)
        answer, content = self._exchange(peer, message, body)
        try:
            self._check_answer(peer, answer, content)
        except PeerUnavailable:
            # A connection that got out of step would hand its next answer to another payment: use none of them again.
            self._http = self._connections()
            raise
        document = _read(peer, content)
        if answer.status_code >= 400:
            raise _refusal(answer.status_code, document)
        return document

    def close(self) -> None:
        self._http.close()

    def _connections(self) -> httpcore2.ConnectionPool:
        """Plain HTTP, without the cookies, redirects and proxies of a client for people."""
        return httpcore2.ConnectionPool(max_connections=64, max_keepalive_connections=16, keepalive_expiry=5.0)

    def _exchange(self, peer: Peer, message: RequestMessage, body: bytes) -> tuple[ResponseMessage, bytes]:
        ends, content = time.monotonic() + self._timeout, bytearray()
        patience = {"connect": 1.0, "read": self._timeout, "write": self._timeout, "pool": self._timeout}
        headers, more = list(message.headers.items()), {"timeout": patience}
        try:
            with self._http.stream("POST", message.url, headers=headers, content=body, extensions=more) as response:
                for chunk in response.iter_stream():
                    content += chunk
                    if len(content) > MAX_BODY_BYTES or time.monotonic() > ends:
                        raise PeerUnavailable(f"the answer of {peer.endpoint} is too long or too slow")
        except _UNHEARD as failure:
            raise PeerUnavailable(f"{peer.endpoint} does not answer: {type(failure).__name__}") from failure
        return ResponseMessage(response.status, message, _text(response.headers)), bytes(content)

    def _check_answer(self, peer: Peer, answer: ResponseMessage, content: bytes) -> None:
        try:
            answered_by = self._messenger.verify_response(answer, content).participant.account
        except BadSignature as failure:
            raise PeerUnavailable(f"the answer of {peer.endpoint} is not signed as it must be: {failure}") from failure
        except Unavailable as failure:
            raise PeerUnavailable(f"whose answer came from {peer.endpoint} is not known: {failure}") from failure
        if answered_by != peer.account:
            raise PeerUnavailable(f"{peer.endpoint} answered as {answered_by}, not as {peer.account}")


def _require_url(peer: Peer) -> None:
    try:
        httpcore2.URL(peer.endpoint)
    except (TypeError, ValueError) as failure:
        raise PeerUnavailable(f"what is registered as the endpoint of {peer.account} is no URL") from failure


def _text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by name; one that stands there twice is the list of both (RFC 9110 section 5.3)."""
    found: dict[str, str] = {}
    for name, value in ((name.decode("ascii").lower(), value.decode("latin-1")) for name, value in headers):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _read(peer: Peer, content: bytes) -> Any:
    try:
        if content:
            return check_json(content)
    except Malformed as failure:
        raise PeerUnavailable(f"the answer of {peer.endpoint} cannot be read") from failure
    raise PeerUnavailable(f"the answer of {peer.endpoint} is empty")


def _refusal(status: int, problem: Any) -> FeiqianError:
    """What a problem document says, kept within bounds: another institution wrote it."""
    try:
        detail, reason = str(problem["detail"])[:_MAX_DETAIL], str(problem["reason"])
        kind = str(problem["type"]).rsplit(":", 1)[-1]
    except (KeyError, TypeError, IndexError):
        return PeerUnavailable(f"the peer answered {status} without a problem document")
    if status in (401, 429) or status >= 500:
        return PeerUnavailable(detail)  # who could not tell who asked has said nothing about what was asked
    reason, kind = reason if _REASON.fullmatch(reason) else "NARR", kind if _KIND.fullmatch(kind) else "unknown"
    return PeerRefusal(detail, reason, status, kind)
