"""Routes that only other institutions call: every request signed, every answer signed and bound to its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from contracts.terms.errors import BadSignature
from contracts.terms.parties import Participant
from serving.bodies import take_json
from serving.messages import Messenger
from serving.one_thread import Handler, OneThreadRoute, run_here
from serving.problems import problem_of
from serving.replay import ReplayGuard
from serving.signed_form import RequestMessage, ResponseMessage


@dataclass(frozen=True)
class PeerDoor:
    """What a service needs to answer peers; kept in `app.state.peer_door`. `endpoint` is the service's public URL."""

    messenger: Messenger
    replay: ReplayGuard
    endpoint: str


class SignedRoute(OneThreadRoute):
    """A route whose body is read only after its signature was verified and its nonce remembered."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def signed(request: Request) -> Response:
            # The signature covers the body, not what its head says of it: it is JSON, or it is refused.
            others = [pair for pair in request.scope["headers"] if pair[0] != b"content-type"]
            request.scope["headers"] = [*others, (b"content-type", b"application/json")]
            return await run_in_threadpool(_answer, handle, request, await request.body())

        return signed


async def sender(request: Request) -> Participant:
    """A dependency: the institution whose signature the request carries."""
    found: Participant = request.state.sender
    return found


def _answer(handle: Handler, request: Request, body: bytes) -> Response:
    """The signed answer. There is none before it is remembered durably that the request came."""
    door: PeerDoor = request.app.state.peer_door
    message = _request_message(door, request)
    try:
        verified = door.messenger.verify_request(message, body)
        remembered = door.replay.accept_once(verified)
        request.state.sender = verified.participant
        response = _handled(handle, request, body)
        door.replay.require_remembered(remembered)
    except Exception as error:
        response = problem_of(request, error)
    _sign(door, message, response)
    return response


def _handled(handle: Handler, request: Request, body: bytes) -> Response:
    try:
        take_json(request, body)
        return run_here(handle(request))
    except Exception as error:
        return problem_of(request, error)


def _request_message(door: PeerDoor, request: Request) -> RequestMessage:
    """The request as its sender signed it: under our registered endpoint, whatever a proxy did to the Host header."""
    target = bytes(request.scope["raw_path"]) + (b"?" + query if (query := request.scope["query_string"]) else b"")
    return RequestMessage(request.method, door.endpoint + target.decode("latin-1"), dict(request.headers))


def _sign(door: PeerDoor, message: RequestMessage, response: Response) -> None:
    headers: dict[str, Any] = {}
    try:
        door.messenger.sign_response(ResponseMessage(response.status_code, message, headers), bytes(response.body))
    except BadSignature:
        assert response.status_code == 401, "only a request without a readable signature cannot be answered with one"
        return
    response.headers.update(headers)
