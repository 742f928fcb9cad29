"""Routes that only other institutions call: every request signed, every answer signed and bound to its request."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from contracts.terms.errors import BadSignature
from contracts.terms.parties import Participant
from serving.bodies import Handler, take_json
from serving.messages import Messenger, RequestMessage, ResponseMessage
from serving.problems import problem_of
from serving.replay import ReplayGuard


@dataclass(frozen=True)
class PeerDoor:
    """What a service needs to answer peers; kept in `app.state.peer_door`. `endpoint` is the service's public URL."""

    messenger: Messenger
    replay: ReplayGuard
    endpoint: str


class SignedRoute(APIRoute):
    """A route whose body is read only after its signature was verified and its nonce remembered."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def signed(request: Request) -> Response:
            door: PeerDoor = request.app.state.peer_door
            # The signature covers the body, not what its head says of it: it is JSON, or it is refused.
            others = [pair for pair in request.scope["headers"] if pair[0] != b"content-type"]
            request.scope["headers"] = [*others, (b"content-type", b"application/json")]
            body = await request.body()
            message = _request_message(door, request)
            try:
                request.state.sender, remembered = await run_in_threadpool(_authenticate, door, message, body)
                response = await _handled(handle, request, body)
                if not remembered.done():
                    await run_in_threadpool(door.replay.require_remembered, remembered)
            except Exception as error:
                response = problem_of(request, error)
            _sign(door, message, response)
            return response

        return signed


def sender(request: Request) -> Participant:
    """A dependency: the institution whose signature the request carries."""
    found: Participant = request.state.sender
    return found


def _authenticate(door: PeerDoor, message: RequestMessage, body: bytes) -> tuple[Participant, Future[None]]:
    """Who sent it; and what is done once that it came is remembered durably, without which there is no answer."""
    verified = door.messenger.verify_request(message, body)
    return verified.participant, door.replay.accept_once(verified)


async def _handled(handle: Handler, request: Request, body: bytes) -> Response:
    try:
        take_json(request, body)
        return await handle(request)
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
