"""Routes that only other institutions call: every request signed, every answer signed and bound to its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from contracts.terms.parties import Participant
from serving.bodies import Handler, check_json
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
            body = await request.body()
            message = _request_message(door, request)
            request.state.sender = await run_in_threadpool(_authenticate, door, message, body)
            try:
                check_json(body)
                response = await handle(request)
            except Exception as error:
                response = problem_of(request, error)
            _sign(door, message, response)
            return response

        return signed


def sender(request: Request) -> Participant:
    """A dependency: the institution whose signature the request carries."""
    found: Participant = request.state.sender
    return found


def _authenticate(door: PeerDoor, message: RequestMessage, body: bytes) -> Participant:
    verified = door.messenger.verify_request(message, body)
    door.replay.accept_once(verified)
    return verified.participant


def _request_message(door: PeerDoor, request: Request) -> RequestMessage:
    """The request as its sender signed it: under our registered endpoint, whatever a proxy did to the Host header."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RequestMessage(request.method, f"{door.endpoint}{request.url.path}{query}", dict(request.headers))


def _sign(door: PeerDoor, message: RequestMessage, response: Response) -> None:
    headers: dict[str, Any] = {}
    door.messenger.sign_response(ResponseMessage(response.status_code, message, headers), bytes(response.body))
    response.headers.update(headers)
