"""Request bodies: read strictly, so that two readers can never understand one body differently."""

from __future__ import annotations

import asyncio
import json
import math
import re
from contextlib import suppress
from itertools import accumulate

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.terms.errors import Busy, FeiqianError, Malformed
from serving.one_thread import Handler, OneThreadRoute, run_here
from serving.problems import problem_document, problem_response

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_BODY_SECONDS = 10.0
MAX_AT_WORK = 256
"""Requests with a body that one process works on at a time; memory and waiting are bounded by it."""
_MAX_DEPTH = 16
_CLOSED = "the handler is closed"
_STRING = re.compile(rb'"[^"]*"?')
_DEEPER = [1 if chr(byte) in "[{" else -1 for byte in range(256)]
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


class Schema(BaseModel):
    """The base of every schema at the door: nothing is converted, nothing unknown is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ProblemBody(BaseModel):
    """A problem document (RFC 9457); some kinds have more members."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str
    reason: str = Field(description="ISO 20022 ExternalStatusReason1Code")

    @classmethod
    def of(cls, refusal: FeiqianError) -> ProblemBody:
        return cls.model_validate(problem_document(refusal))


class StrictRoute(OneThreadRoute):
    """A route that refuses a JSON body with duplicate keys, NaN, oversized numbers, half characters, a NUL or deep
    nesting."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        def read(request: Request, body: bytes) -> Response:
            take_json(request, body)
            return run_here(handle(request))

        async def strict(request: Request) -> Response:
            body = await request.body() if request.method in ("POST", "PUT", "PATCH") else b""
            if not self.waits:
                return await run_in_threadpool(read, request, body)
            take_json(request, body)
            return await handle(request)

        return strict


class BoundedBodies:
    """Refuse a body that is too large (413) or does not arrive in time (408), as every error is refused; and a NUL in
    the path or the query (400), which not every database stores.

    While too many requests are worked on, the next is refused at once (503). Only one whose body is here counts: who
    sends half of a body, or waits for news, takes nobody's place.

    The server never ends a request whose body stops half-way, and the framework's own limit answers in plain text.
    """

    def __init__(self, app: ASGIApp, seconds: float = MAX_BODY_SECONDS) -> None:
        self._app, self._seconds = app, seconds
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if "\0" in scope.get("path", "") or b"%00" in scope.get("query_string", b""):
            refusal = problem_response(Malformed("a NUL is no character of a name"))
            return await refusal(scope, receive, send)
        left = MAX_BODY_BYTES if _declared(scope) <= MAX_BODY_BYTES else -1
        ends: float | None = asyncio.get_running_loop().time() + self._seconds
        counted = False

        async def bounded() -> Message:
            nonlocal left, ends, counted
            if left >= 0:
                message = await _until(ends, receive)
                left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            ends = ends if message.get("more_body") else None
            if ends is None and not counted and left < MAX_BODY_BYTES:
                if self._at_work >= MAX_AT_WORK:
                    raise Busy("too many requests are being worked on; try again")
                self._at_work += 1
                counted = True
            return message

        async def answer(message: Message) -> None:
            try:
                await send(message)
            except RuntimeError as failure:  # uvloop's way to say that the connection is closed
                if _CLOSED not in str(failure):
                    raise
                raise ClientDisconnect from failure

        try:
            with suppress(ClientDisconnect):  # whoever asked has gone, and nobody waits for the answer
                await self._app(scope, bounded, answer)
        finally:
            self._at_work -= counted


def _declared(scope: Scope) -> int:
    """The body's length as the server has checked it, 0 for one that comes in chunks."""
    return int(dict(scope["headers"]).get(b"content-length", b"0"))


async def _until(ends: float | None, receive: Receive) -> Message:
    try:
        async with asyncio.timeout_at(ends):
            return await receive()
    except TimeoutError:
        raise HTTPException(408) from None


def take_json(request: Request, body: bytes) -> None:
    """Read a request's body strictly; the framework finds what was read and does not read it again."""
    value = check_json(body)
    if body:
        request._json = value


def check_json(body: bytes) -> object:
    """The value in bytes that are exactly one plain JSON value, None where there are none. Raises Malformed."""
    if not body:
        return None
    _check_depth(body)
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair could be neither stored nor answered
        if b"\\u0000" in body and _has_nul(value):
            raise ValueError("a text has a NUL in it")  # not every database stores it
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"the body is not JSON: {failure}"[:200]) from failure
    return value


def _check_depth(body: bytes) -> None:
    """Bound the nesting before parsing: parsers recurse, and libraries of ours raise the limit beyond the stack.

    What follows the first mistake in the JSON may be counted wrongly; no parser gets there.
    """
    unescaped = body.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in body else body
    # Two quotes with no bracket between them leave each bracket in or out of a text as it was.
    marks = unescaped.translate(None, _NO_MARKS).replace(b'""', b"")
    brackets = _STRING.sub(b"", marks)
    if max(accumulate(map(_DEEPER.__getitem__, brackets)), default=0) > _MAX_DEPTH:
        raise Malformed(f"the body is nested deeper than {_MAX_DEPTH} levels")


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
