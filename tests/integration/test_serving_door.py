"""What callers with tokens meet, over a real server: strict bodies, scopes, and a problem document for every error."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
from fastapi import APIRouter, Depends, Request
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from pydantic import Field
from starlette.exceptions import HTTPException

from contracts.terms.errors import Busy, FinalityViolated, InsufficientFunds, NotFound, WrongState
from contracts.terms.payment import Leg
from serving.app import new_app
from serving.auth import Caller, Tokens, require
from serving.bodies import MAX_BODY_BYTES, BoundedBodies, Schema, StrictRoute
from serving.client import PeerRefusal
from serving.documents import HexField, LegField
from serving.keys import MessageKey
from serving.readiness import Readiness
from serving.telemetry import configure_logs
from tests import plain_http
from tests.databases import opened

SECRET = "Alice-Liddell-4711"
KEY = MessageKey(b"\1" * 32)
LEG = {"source": "0x" + "1" * 40, "target": "0x" + "2" * 40, "currency": 764, "amount": "5"}
ERRORS: dict[str, Exception] = {
    "busy": Busy("wait"),
    "missing": NotFound("no such payment"),
    "moved": WrongState("settled", state="settled", event="cancel"),
    "poor": InsufficientFunds("too little", currency="THB", title="never a title"),
    "peer": PeerRefusal("not our merchant", "AC03", 404, "unknown-merchant"),
    "halt": FinalityViolated("another block 5"),
    "teapot": HTTPException(418, "no tea"),
    "bug": ZeroDivisionError(SECRET),
}


class Order(Schema):
    item: str = Field(max_length=20)
    count: int = Field(default=1, ge=1, le=5)
    leg: LegField = Leg(LEG["source"], LEG["target"], 764, 5)  # type: ignore[arg-type]
    mark: HexField = b""
    extra: dict[str, Any] = Field(default_factory=dict)


class _Lifespan:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def routes() -> APIRouter:
    found = APIRouter(route_class=StrictRoute)

    @found.post("/v1/orders")
    def order(order: Order, caller: Caller = Depends(require("orders:write"))) -> dict[str, Any]:
        return {"item": order.item, "caller": caller.subject, "extra": order.extra}

    @found.get("/v1/errors/{kind}")
    def fail(kind: str) -> None:
        raise ERRORS[kind]

    return found


@dataclass
class Door:
    url: str
    tokens: Tokens

    def post(self, body: bytes, token: str | None = None, **headers: str) -> httpx2.Response:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token()}"} | headers
        return plain_http.post(self.url + "/v1/orders", content=body, headers=sent, timeout=20)

    def get(self, path: str) -> httpx2.Response:
        return plain_http.get(self.url + path)

    def token(self, *scopes: str, lifetime: int = 60) -> str:
        return self.tokens.issue("wallet", list(scopes or ("orders:write",)), lifetime)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    database = opened(tmp_path_factory.mktemp("door") / "door.sqlite")
    configure_logs("door")  # a person's console would take seconds to draw a bug's traceback
    app = new_app("door", "a door for tests", lambda _: _Lifespan(), Readiness(database, {}))  # type: ignore[arg-type, return-value]
    app.state.tokens = Tokens("door", KEY)
    app.include_router(routes())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    listening = server.config.bind_socket()
    listening.listen()  # whoever comes before the server does is answered then
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Door(f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.tokens)
    server.should_exit = True
    thread.join()
    listening.close()
    database.close()


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer, checked for what every one must have and must not say."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["type"].startswith("urn:feiqian:problem:")
    assert document["title"]
    assert document["detail"]
    assert len(document["detail"]) < 400
    assert len(document["reason"]) == 4
    assert SECRET not in response.text
    return document


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_a_right_body_passes(door: Door) -> None:
    answer = door.post(b'{"item": "tea \\ud83c\\udf75", "count": 2, "extra": {"[[[[[[[[[[[[[[[[[[": "]]\\"[[\\\\"}}')
    assert answer.status_code == 200
    assert answer.json() == {"item": "tea 🍵", "caller": "wallet", "extra": {"[" * 18: ']]"[[\\'}}


def in_order(text: str) -> bytes:
    return b'{"item": "a", ' + text.encode() + b"}"


BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"   ",
    "no JSON": SECRET.encode(),
    "cut off": b'{"item": "' + SECRET.encode(),
    "two values": b'{"item": "a"} {"item": "a"}',
    "a list": b"[]",
    "null": b"null",
    "a text": f'"{SECRET}"'.encode(),
    "duplicate key": b'{"item": "a", "item": "b"}',
    "duplicate key within": in_order('"extra": {"a": [{"b": 1, "b": 1}]}'),
    "NaN": in_order('"extra": {"a": NaN}'),
    "minus infinity": in_order('"extra": {"a": -Infinity}'),
    "1e400": in_order('"count": 1e400'),
    "1e400 where anything may stand": in_order('"extra": {"a": 1e400}'),
    "a number of 5000 digits": in_order('"extra": {"a": ' + "9" * 5000 + "}"),
    "deep lists": in_order('"extra": {"a": ' + "[" * 17 + "]" * 17 + "}"),
    "deep lists after brackets in a text": in_order('"extra": {"' + "]" * 99 + '": ' + "[" * 20 + "]" * 20 + "}"),
    "deep lists after an escaped quote": in_order('"extra": {"\\\\\\"' + "]" * 99 + '": ' + "[" * 20 + "]" * 20 + "}"),
    "200,000 lists": b"[" * 200_000,
    "200,000 objects": b'{"a":' * 200_000,
    "byte order mark": b"\xef\xbb\xbf" + b'{"item": "a"}',
    "UTF-16": '{"item": "a"}'.encode("utf-16-le"),
    "no UTF-8": b'{"item": "\xff"}',
    "overlong UTF-8": b'{"item": "\xc0\x80"}',
    "half a surrogate pair": b'{"item": "\\ud800"}',
    "half a surrogate pair where anything may stand": in_order('"extra": {"a": "\\udfff"}'),
    "half a surrogate pair as a name": in_order('"\\ud800": 1'),
    "a NUL": b'{"item": "a\\u0000"}',
    "a NUL where anything may stand": in_order('"extra": {"a": ["\\u0000"]}'),
    "a NUL as a name": in_order('"extra": {"\\u0000": 1}'),
    "raw control character": b'{"item": "\x00"}',
    "text for a number": in_order('"count": "2"'),
    "true for a number": in_order('"count": true'),
    "fraction for a number": in_order('"count": 2.0'),
    "number for a text": b'{"item": 5}',
    "out of range": in_order('"count": 6'),
    "too long": f'{{"item": "{SECRET * 2}"}}'.encode(),
    "field missing": b'{"count": 1}',
    "field unknown": in_order('"more": 1'),
    "field with a secret name": in_order(f'"{SECRET} 5": 1'),
    "field with a long name": in_order(f'"{"x" * 100_000}": 1'),
    "terms that are none": in_order('"leg": 5'),
    "terms with an unknown field": in_order('"leg": ' + json.dumps(LEG | {"more": 1})),
    "terms with a number for an amount": in_order('"leg": ' + json.dumps(LEG | {"amount": 5})),
    "terms with a negative amount": in_order('"leg": ' + json.dumps(LEG | {"amount": "-5"})),
    "terms with Arabic digits": in_order('"leg": ' + json.dumps(LEG | {"amount": "٣"})),
    "terms with a secret for an address": in_order('"leg": ' + json.dumps(LEG | {"source": SECRET})),
    "upper-case hex": in_order('"mark": "0xAB"'),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_not_one_is_refused_clearly_and_not_repeated(door: Door, body: bytes) -> None:
    document = problem(door.post(body), 400)
    assert document["reason"] in {"FF01", "AM12"}
    assert "x" * 50 not in document["detail"]


def test_a_backslash_and_digits_are_no_nul(door: Door) -> None:
    assert door.post(b'{"item": "\\\\u0000"}').status_code == 200


@pytest.mark.parametrize("path", ["/none/%00", "/none?name=%00"])
def test_a_nul_in_path_or_query_is_refused(door: Door, path: str) -> None:
    problem(door.get(path), 400)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_media_type_is_refused(door: Door, media: str) -> None:
    problem(door.post(b'{"item": "a"}', **{"Content-Type": media}), 400)


def test_a_body_too_large_is_refused(door: Door) -> None:
    problem(door.post(b'{"item": "' + b"x" * MAX_BODY_BYTES + b'"}'), 413)


def test_a_body_too_large_that_does_not_say_so_is_refused(door: Door) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b" " * 65_536 for _ in range(MAX_BODY_BYTES // 65_536 + 2))

    headers = {"Authorization": f"Bearer {door.token()}", "Content-Type": "application/json"}
    problem(plain_http.post(door.url + "/v1/orders", content=chunks(), headers=headers), 413)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(door: Door) -> None:
    length = b"Content-Length: %d" % (MAX_BODY_BYTES + 1)
    assert raw_status(door, b"POST /v1/orders HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n{") == 413


def raw_status(door: Door, request: bytes) -> int:
    """The status of the answer to bytes that no client library would send."""
    address = urlsplit(door.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split(b" ")[1])


def test_a_body_that_stops_half_way_is_not_waited_for() -> None:
    async def ends() -> HTTPException | None:
        async def reading(scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["more_body"]:
                pass

        async def half() -> dict[str, Any]:
            if parts:
                return parts.pop()
            return await asyncio.Event().wait()  # type: ignore[return-value]

        parts = [{"type": "http.request", "body": b"{", "more_body": True}]
        try:
            await BoundedBodies(reading, seconds=0.01)({"type": "http", "headers": []}, half, half)  # type: ignore[arg-type]
        except HTTPException as refusal:
            return refusal
        return None

    refusal = asyncio.run(ends())
    assert refusal is not None
    assert refusal.status_code == 408


@pytest.mark.parametrize(("said", "passes"), [("x; the handler is closed", True), ("another mistake", False)])
def test_who_has_left_before_the_answer_is_no_bug(said: str, passes: bool) -> None:
    async def answering(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def closed(_: Any) -> None:
        raise RuntimeError(said)

    async def body() -> dict[str, Any]:
        return {"type": "http.request"}

    door = BoundedBodies(answering)({"type": "http", "headers": []}, body, closed)  # type: ignore[arg-type]
    with nullcontext() if passes else pytest.raises(RuntimeError, match=said):
        asyncio.run(door)  # type: ignore[arg-type]


def test_who_leaves_in_the_middle_of_a_body_is_no_bug() -> None:
    async def reading(scope: Any, receive: Any, send: Any) -> None:
        await Request(scope, receive).body()

    async def gone() -> dict[str, Any]:
        return parts.pop()

    parts = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]
    asyncio.run(BoundedBodies(reading)({"type": "http", "headers": []}, gone, gone))  # type: ignore[arg-type]
    assert not parts


@pytest.mark.parametrize("target", [b"/v1/orders?\xff=\xfe", b"/v1/\xff\xfe", b"/%FF%00?%FF", b"//evil/v1/orders"])
def test_no_target_breaks_the_door(door: Door, target: bytes) -> None:
    rest = b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    assert 400 <= raw_status(door, b"POST " + target + rest) < 500


# --- problems -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "name", "reason"),
    [
        ("busy", 503, "busy", "ED06"),
        ("missing", 404, "not-found", "RR09"),
        ("moved", 409, "wrong-state", "AM05"),
        ("poor", 422, "insufficient-funds", "AM04"),
        ("peer", 422, "peer-refusal", "AC03"),
        ("halt", 500, "finality-violated", "ED05"),
        ("teapot", 418, "http", "NARR"),
        ("bug", 500, "internal", "NARR"),
    ],
)
def test_each_error_has_its_document(door: Door, kind: str, status: int, name: str, reason: str) -> None:
    response = door.get(f"/v1/errors/{kind}")
    document = problem(response, status)
    assert (document["type"], document["reason"]) == (f"urn:feiqian:problem:{name}", reason)
    assert ("retry-after" in response.headers) is (status == 503)


def test_an_errors_fields_are_members_and_never_hide_the_documents_own(door: Door) -> None:
    assert problem(door.get("/v1/errors/moved"), 409).items() >= {("state", "settled"), ("event", "cancel")}
    assert problem(door.get("/v1/errors/poor"), 422)["title"] == "The account has not enough money"


def test_unknown_paths_and_methods_are_problems_too(door: Door) -> None:
    problem(door.get("/v1/nothing"), 404)
    response = door.get("/v1/orders")
    problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_the_docs_are_there_without_another_host(door: Door) -> None:
    page = door.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    assert door.get("/openapi.json").json()["paths"]["/v1/orders"]["post"]["responses"]["422"]
    assert door.get("/health").json()["status"] == "ok"
    assert door.get("/ready").json()["status"] == "ready"


# --- tokens ---------------------------------------------------------------------------------------------------------


def _encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def _altered(token: str) -> str:
    head, claims, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{head}.{_encoded(read | {'scope': 'orders:write admin'})}.{signature}"


def _claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    claims = {"iss": "door", "sub": "wallet", "scope": "orders:write", "iat": now, "exp": now + 60} | changes
    return {name: value for name, value in claims.items() if value is not None}


def _made(claims: dict[str, object], seed: bytes = KEY.seed) -> str:
    key = MessageKey(seed)
    parts = {"x": key.public, "d": key.seed}
    encoded = {name: base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for name, raw in parts.items()}
    jwk = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **encoded})  # type: ignore[dict-item]
    return jwt.encode({"alg": "Ed25519"}, claims, jwk, algorithms=["Ed25519"])


def _unsigned(algorithm: str) -> str:
    return f"{_encoded({'alg': algorithm, 'typ': 'JWT'})}.{_encoded(_claims())}."


def _keyed_with_the_public_key() -> str:
    return jwt.encode({"alg": "HS256"}, _claims(), OctKey.import_key(KEY.public), algorithms=["HS256"])


def test_a_token_made_like_the_services_own_passes(door: Door) -> None:
    assert door.post(b'{"item": "a"}', _made(_claims())).status_code == 200


BAD_TOKENS: dict[str, str] = {
    "no token": "x",
    "empty parts": "..",
    "a secret": SECRET,
    "expired": Tokens("door", KEY).issue("wallet", ["orders:write"], -10),
    "another issuer": Tokens("other", KEY).issue("wallet", ["orders:write"]),
    "another key": Tokens("door", MessageKey(b"\2" * 32)).issue("wallet", ["orders:write"]),
    "altered": _altered(Tokens("door", KEY).issue("wallet", ["orders:read"])),
    "algorithm none": _unsigned("none"),
    "algorithm None": _unsigned("NONE"),
    "HMAC with the public key": _keyed_with_the_public_key(),
    "longer than any of ours": _made(_claims(scope="orders:write " * 400)),
    "no subject": _made(_claims(sub=None)),
    "no expiry": _made(_claims(exp=None)),
    "expiry that is a text": _made(_claims(exp="never")),
    "no issuer": _made(_claims(iss=None)),
    "header that is a list": f"{_encoded([])}.{_encoded(_claims())}.AAAA",
    "header that is a number": f"{_encoded(5)}.{_encoded(_claims())}.AAAA",
    "algorithm that is a list": f"{_encoded({'alg': ['Ed25519']})}.{_encoded(_claims())}.AAAA",
    "header nested deeply": base64.urlsafe_b64encode(b"[" * 45_000).decode() + ".AAAA.AAAA",
    "header nested as deeply as is read": base64.urlsafe_b64encode(b"[" * 3_000).decode() + ".AAAA.AAAA",
    "critical header": f"{_encoded({'alg': 'Ed25519', 'crit': 5})}.{_encoded(_claims())}.AAAA",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_token_that_is_not_ours_is_refused(door: Door, token: str) -> None:
    response = door.post(b'{"item": "a"}', token)
    assert problem(response, 401)["type"] == "urn:feiqian:problem:bad-token"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Basic d2FsbGV0OmE=", "Bearer \xff"])
def test_without_a_bearer_token_the_header_is_named(door: Door, header: str) -> None:
    response = door.post(b'{"item": "a"}', Authorization=header.encode("latin-1"))  # type: ignore[arg-type]
    assert "oken" in problem(response, 401)["detail"]


@pytest.mark.parametrize("scopes", [("orders:read",), ("orders",), ("orders:write:more",), ("ORDERS:WRITE",)])
def test_a_token_without_the_scope_is_forbidden(door: Door, scopes: tuple[str, ...]) -> None:
    assert problem(door.post(b'{"item": "a"}', door.token(*scopes)), 403)["scope"] == "orders:write"


def test_one_of_several_scopes_is_enough(door: Door) -> None:
    assert door.post(b'{"item": "a"}', door.token("orders:read", "orders:write")).status_code == 200


def test_a_token_that_passed_is_refused_after_its_end(door: Door) -> None:
    token = Tokens("door", KEY).issue("wallet", ["orders:write"], 2)
    assert door.post(b'{"item": "a"}', token).status_code == 200
    while (answer := door.post(b'{"item": "a"}', token)).status_code == 200:
        Event().wait(0.05)
    assert problem(answer, 401)["type"] == "urn:feiqian:problem:bad-token"
