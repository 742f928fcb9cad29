"""Server-sent events (HTML standard, section 9.2): each event of a payment once, in order, as soon as it is recorded.

A stream holds no thread, and no more than one short list of events: the next is read when the reader has taken it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import Row
from starlette.types import Message, Send

from contracts.terms.errors import NotFound
from contracts.terms.payment import State
from nodes.context import NodeContext
from nodes.payments import events, service

MAX_LIST = 100
HEARTBEAT = 15.0
LIFETIME = 900.0
"""Seconds after which a stream ends, so that its reader shows a token again."""
PATIENCE = 30.0
"""Seconds in which a reader must take what it is sent."""


class EventStream(StreamingResponse):
    """The answer; a reader that takes nothing is left."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], status_code: int = 200) -> None:
        super().__init__(events, status_code, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        async def soon(message: Message) -> None:
            async with asyncio.timeout(PATIENCE):
                await send(message)

        await super().stream_response(soon)


@dataclass(frozen=True)
class Following:
    """What a caller follows: one payment, or (empty) all on its accounts, or only how they end; and the last event that
    it has."""

    owner: str
    uetr: str
    after: int
    ends: bool = False


def begin(node: NodeContext, owner: str, uetr: str, after: int | None, ends: bool = False) -> Following | None:
    """From where on to follow; None when the payment has ended and the caller has all of it.

    Without `after` one payment is told from its beginning, all of the caller's from now on. Raises NotFound, Busy.
    """
    node.bell.require_room(owner)
    with node.database.read() as connection:
        last = events.last_places(connection, [owner]).get(owner, 0)
        if after is not None and after > last:
            raise NotFound("no such event was given; look at the list of payments and follow without it")
        if not uetr:
            return Following(owner, uetr, last if after is None else after, ends)
        payment = service.find_held(connection, uetr, owner)
        following = Following(owner, uetr, after or 0)
        ended = payment.state.final and not events.after(connection, owner, following.after, uetr, 1)
    return None if ended else following


async def events_of(
    node: NodeContext, following: Following, heartbeat: float = HEARTBEAT, lifetime: float = LIFETIME
) -> AsyncIterator[bytes]:
    """The stream's text: what was missed, then what happens, until the payment has ended or `lifetime` is over."""
    ends, after = time.monotonic() + lifetime, following.after
    yield f"retry: 1000\nid: {after}\n\n".encode()  # whoever is cut off before the first event misses none
    with node.bell.listening(following.owner) as heard:
        while time.monotonic() < ends:
            heard.clear()
            found = await run_in_threadpool(_read, node, following, after)
            if found:
                after = found[-1].place
                yield "".join(map(_text, found)).encode()
            if following.uetr and found and State(found[-1].state).final:
                return
            if len(found) < MAX_LIST:
                try:
                    async with asyncio.timeout(heartbeat):
                        await heard.wait()
                except TimeoutError:
                    yield b":\n\n"


def _read(node: NodeContext, following: Following, after: int) -> Sequence[Row[Any]]:
    with node.database.read() as connection:
        return events.after(connection, following.owner, after, following.uetr, MAX_LIST, following.ends)


def _text(event: Row[Any]) -> str:
    state = State(event.state)
    told = {
        "uetr": event.uetr,
        "account": event.account,
        "direction": "outgoing" if event.side == "debtor" else "incoming",
        "event": event.event,
        "status": state.value,
        "final": state.final,
        "iso20022": state.iso20022,
        "detail": event.detail,
        "at": event.at,
    }
    return f"id: {event.place}\ndata: {json.dumps(told)}\n\n"
