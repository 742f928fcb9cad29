"""Calling another institution's service: one signed request, one signed answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

from contracts.terms.errors import BadSignature, FeiqianError, PeerUnavailable
from contracts.terms.identifiers import Address
from serving.messages import Messenger, RequestMessage, ResponseMessage


class PeerRefusal(FeiqianError):
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
    """Signed JSON over HTTP with short time-outs. Safe to use from several threads."""

    def __init__(self, messenger: Messenger, timeout: float = 5.0) -> None:
        self._messenger = messenger
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=16)
        self._http = httpx2.Client(timeout=httpx2.Timeout(timeout, connect=1.0), limits=limits, trust_env=False)

    def post(self, peer: Peer, path: str, body: bytes) -> Any:
        """POST JSON bytes to `peer` and return the parsed answer.

        Raises PeerUnavailable (no answer, or one that is not provably this peer's answer to this request) and
        PeerRefusal (a problem document, with the peer's ISO 20022 reason).
        """
        message = RequestMessage("POST", peer.endpoint + path, {"Content-Type": "application/json"})
        self._messenger.sign_request(message, body)
        try:
            response = self._http.post(message.url, content=body, headers=dict(message.headers))
        except httpx2.HTTPError as failure:
            raise PeerUnavailable(f"{peer.endpoint} does not answer: {type(failure).__name__}") from failure
        if response.status_code != 401:
            self._check_answer(peer, message, response)
        if response.status_code >= 400:
            raise _refusal(response)
        return response.json()

    def close(self) -> None:
        self._http.close()

    def _check_answer(self, peer: Peer, message: RequestMessage, response: httpx2.Response) -> None:
        answer = ResponseMessage(response.status_code, message, dict(response.headers))
        try:
            answered_by = self._messenger.verify_response(answer, response.content).participant.account
        except BadSignature as failure:
            raise PeerUnavailable(f"the answer of {peer.endpoint} is not signed as it must be: {failure}") from failure
        if answered_by != peer.account:
            raise PeerUnavailable(f"{peer.endpoint} answered as {answered_by}, not as {peer.account}")


def _refusal(response: httpx2.Response) -> FeiqianError:
    try:
        problem = response.json()
        detail, reason = str(problem["detail"]), str(problem["reason"])
        kind = str(problem["type"]).rsplit(":", 1)[-1]
    except (ValueError, KeyError, TypeError):
        return PeerUnavailable(f"the peer answered {response.status_code} without a problem document")
    if response.status_code in (429, 500, 502, 503, 504):
        return PeerUnavailable(detail)
    return PeerRefusal(detail, reason, response.status_code, kind)
