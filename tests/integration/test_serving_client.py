"""What a client believes: an answer that is whole, in time and provably the peer's own to this very request."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from http_message_signatures import HTTPMessageSigner, algorithms

from contracts.terms.errors import PeerUnavailable
from contracts.terms.identifiers import Address
from serving.bodies import MAX_BODY_BYTES
from serving.client import Peer, PeerClient, PeerRefusal
from serving.messages import Messenger
from serving.signed_form import RequestMessage, ResponseMessage
from tests.integration.test_serving_peers import ALICE, BOB, BODY, KEYS, LEFT, MALLORY, OneKey, Registry

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(answer: Callable[[RequestMessage], Answer]) -> Iterator[str]:
    """A server that answers whatever a hostile or broken peer, or somebody between, might."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            request = RequestMessage("POST", f"{endpoint}{self.path}", dict(self.headers.items()))
            request.headers["X-Connection"] = str(self.client_address[1])
            status, headers, content = answer(request)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def signed_answer(
    request: RequestMessage, content: bytes = b'{"paid": true}', status: int = 200, account: Address = BOB
) -> Answer:
    headers: dict[str, str] = {}
    messenger = Messenger(account, KEYS[account], Registry())
    messenger.sign_response(ResponseMessage(status, request, headers), content)
    return status, headers, content


def _as_status(request: RequestMessage) -> Answer:
    return 201, *signed_answer(request)[1:]


def _with_other_content(request: RequestMessage) -> Answer:
    status, headers, _ = signed_answer(request)
    return status, headers, b'{"paid": null}'


def _for_another_request(request: RequestMessage) -> Answer:
    other = RequestMessage(request.method, request.url, {"Content-Type": "application/json"})
    Messenger(ALICE, KEYS[ALICE], Registry()).sign_request(other, BODY)
    return signed_answer(other)


def _for_another_path(request: RequestMessage) -> Answer:
    return signed_answer(RequestMessage(request.method, request.url + "x", request.headers))


def _not_bound(request: RequestMessage) -> Answer:
    headers: dict[str, str] = {}
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=OneKey())
    now = datetime.now(UTC)
    said = {"created": now, "expires": now + timedelta(seconds=60), "nonce": "n", "tag": "feiqian", "label": "feiqian"}
    message = ResponseMessage(200, request, headers)
    covered = ("@status", "content-digest")
    signer.sign(message, key_id=BOB, body=b"{}", covered_component_ids=covered, **said)  # type: ignore[arg-type]
    return 200, headers, b"{}"


PROBLEM = b'{"type": "urn:feiqian:problem:not-agreed", "detail": "no", "reason": "AM09"}'
NOT_BELIEVED: dict[str, Callable[[RequestMessage], Answer]] = {
    "unsigned": lambda request: (200, {}, b'{"paid": true}'),
    "unsigned refusal": lambda request: (422, {}, PROBLEM),
    "unsigned 401": lambda request: (401, {}, PROBLEM),
    "unsigned bad gateway": lambda request: (502, {}, b"<html>"),
    "other status": _as_status,
    "other content": _with_other_content,
    "another request's": _for_another_request,
    "another path's": _for_another_path,
    "not bound to the request": _not_bound,
    "another member's": lambda request: signed_answer(request, account=ALICE),
    "no member's": lambda request: signed_answer(request, account=MALLORY),
    "no longer a member's": lambda request: signed_answer(request, account=LEFT),
    "signed, but no JSON": lambda request: signed_answer(request, b"<html>"),
    "signed, but nothing": lambda request: signed_answer(request, b""),
    "signed, but too deep": lambda request: signed_answer(request, b"[" * 100_000),
    "signed, but two meanings": lambda request: signed_answer(request, b'{"paid": true, "paid": false}'),
    "signed, but too long": lambda request: signed_answer(request, b'"' + b"x" * MAX_BODY_BYTES + b'"'),
    "a refusal that is no problem document": lambda request: signed_answer(request, b'["detail"]', 422),
}


@pytest.mark.parametrize("answer", NOT_BELIEVED.values(), ids=NOT_BELIEVED)
def test_an_answer_that_is_not_provably_the_peers_own_is_no_answer(answer: Callable[[RequestMessage], Answer]) -> None:
    client = PeerClient(Messenger(ALICE, KEYS[ALICE], Registry()))
    with answering(answer) as endpoint, pytest.raises(PeerUnavailable):
        client.post(Peer(BOB, endpoint), "/peer/v1/acts", BODY)
    client.close()


def test_after_an_answer_to_another_request_the_next_one_is_right() -> None:
    """A connection that got out of step would hand one payment's answer to the next."""
    earlier: dict[str, RequestMessage] = {}

    def late(request: RequestMessage) -> Answer:
        """On one connection, from the second request on, the answer to the request before."""
        connection = request.headers["X-Connection"]
        answered, earlier[connection] = earlier.get(connection, request), request
        return signed_answer(answered)

    client = PeerClient(Messenger(ALICE, KEYS[ALICE], Registry()))
    with answering(late) as endpoint:
        assert client.post(Peer(BOB, endpoint), "/x", BODY) == {"paid": True}
        with pytest.raises(PeerUnavailable):
            client.post(Peer(BOB, endpoint), "/x", BODY)
        assert client.post(Peer(BOB, endpoint), "/x", BODY) == {"paid": True}
    client.close()


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for() -> None:
    """Each byte comes in time, the answer never: a hostile peer would hold a worker for ever."""
    gone = Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
            while not gone.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=drip, args=[listening])
        thread.start()
        client = PeerClient(Messenger(ALICE, KEYS[ALICE], Registry()), timeout=0.3)
        with pytest.raises(PeerUnavailable, match="too slow"):
            client.post(Peer(BOB, f"http://127.0.0.1:{listening.getsockname()[1]}"), "/x", BODY)
        gone.set()
        thread.join()
        client.close()


def test_a_peers_words_are_kept_within_bounds() -> None:
    words = {"type": "urn:x:<script>", "detail": "d" * 10_000, "reason": "<b>"}
    client = PeerClient(Messenger(ALICE, KEYS[ALICE], Registry()))
    with (
        answering(lambda request: signed_answer(request, json.dumps(words).encode(), 422)) as endpoint,
        pytest.raises(PeerRefusal) as refusal,
    ):
        client.post(Peer(BOB, endpoint), "/x", BODY)
    assert (refusal.value.iso_reason, refusal.value.problem, len(refusal.value.detail)) == ("NARR", "unknown", 300)


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    with answering(lambda request: (200, {}, b"")) as endpoint:
        pass
    with pytest.raises(PeerUnavailable, match="does not answer"):
        PeerClient(Messenger(ALICE, KEYS[ALICE], Registry())).post(Peer(BOB, endpoint), "/x", BODY)


@pytest.mark.parametrize("endpoint", ["http://[x", "http://a:99999", "http://\u00e9", "peer", ""])
def test_what_is_registered_as_an_endpoint_may_be_none(endpoint: str) -> None:
    client = PeerClient(Messenger(ALICE, KEYS[ALICE], Registry()))
    with pytest.raises(PeerUnavailable):
        client.post(Peer(BOB, endpoint), "/peer/v1/acts", BODY)
