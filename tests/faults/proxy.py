"""A proxy between all parts of a network, which fails as networks do, by a plan.

Every part reaches every other through a link: a port that the proxy listens on, and one behind it that the part really
has. The proxy runs on a thread of its own; until `fail` and after `calm` it passes on everything as it is.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from tests.faults.plan import Fate, Fault, Plan

HOST = "127.0.0.1"
_CHUNK = 2**16
_TORN_DOWN = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: closing the socket sends a reset."""
_GONE = (ConnectionError, OSError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class Link:
    """A way to one part. `whole`: what is duplicated on it is all that came at once. Bytes inside a message that nobody
    signs may only be repeated where TLS would notice."""

    name: str
    port: int
    target: int
    whole: bool = False


@dataclass(eq=False)
class _Wire:
    """One connection through the proxy: both its sides, and what is to happen to it."""

    link: Link
    sides: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    fates: Iterator[Fate]
    next: Fate = field(init=False)
    left: int = field(init=False)
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    late: dict[asyncio.StreamWriter, bytes] = field(default_factory=dict)
    """What comes once more, with the next piece in that direction."""

    def __post_init__(self) -> None:
        self.turn()

    def turn(self) -> None:
        """The fault is over: what comes next."""
        self.next = next(self.fates)
        self.left = self.next.after

    def close(self) -> None:
        for side in self.sides:
            side.close()

    def tear(self) -> None:
        for side in self.sides:
            with suppress(OSError):
                side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _TORN_DOWN)
            side.transport.abort()


class Proxy:
    """All links of a network. `counts` says how often which fault struck which link, as (link, fault)."""

    def __init__(self, links: Collection[Link], plan: Plan) -> None:
        self._links, self._plan = tuple(links), plan
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._servers: dict[Link, asyncio.Server] = {}
        self._numbers: Counter[str] = Counter()
        self._wires: set[_Wire] = set()
        self._refusing: list[asyncio.Task[None]] = []
        self._failing = False
        self.counts: Counter[tuple[str, Fault]] = Counter()

    def start(self) -> None:
        """Listen on every link."""
        self._thread.start()
        self._run(self._listen_everywhere())

    def fail(self) -> None:
        """From now on, as planned."""
        self._run(self._fail())

    def calm(self) -> None:
        """No more faults; what is silent is torn down at once."""
        self._run(self._calm())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    async def _listen_everywhere(self) -> None:
        for link in self._links:
            await self._listen(link)

    async def _listen(self, link: Link) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Ended by `stop` it ends quietly: the server logs a handler that was cancelled.
            with suppress(*_GONE, asyncio.CancelledError):
                await self._serve(link, reader, writer)
            writer.close()

        self._servers[link] = await asyncio.start_server(serve, HOST, link.port, reuse_address=True)

    async def _fail(self) -> None:
        self._failing = True
        self._refusing = [asyncio.create_task(self._refuse(link)) for link in self._links]

    async def _calm(self) -> None:
        self._failing = False
        for task in self._refusing:
            task.cancel()
        await asyncio.gather(*self._refusing, return_exceptions=True)
        for link in self._links:
            if not self._servers[link].is_serving():
                await self._listen(link)
        for wire in list(self._wires):
            if wire.gate.locked():
                wire.tear()

    async def _stop(self) -> None:
        for server in self._servers.values():
            server.close()
        for wire in list(self._wires):
            wire.tear()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _refuse(self, link: Link) -> None:
        for until, lasting in self._plan.refusals(link.name):
            await asyncio.sleep(until)
            self._servers[link].close()
            self.counts[link.name, Fault.REFUSE] += 1
            await asyncio.sleep(lasting)
            await self._listen(link)

    async def _serve(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self._numbers[link.name]
        self._numbers[link.name] += 1
        back, there = await asyncio.open_connection(HOST, link.target)
        wire = _Wire(link, (writer, there), self._plan.fates(link.name, number))
        self._wires.add(wire)
        try:
            await asyncio.gather(self._pass(wire, reader, there), self._pass(wire, back, writer))
        finally:
            self._wires.discard(wire)
            wire.close()

    async def _pass(self, wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction until its end, or the connection's."""
        with suppress(*_GONE):
            while data := await reader.read(_CHUNK):
                data = wire.late.pop(writer, b"") + data
                if self._failing and wire.left == 0:
                    at = 1 + int(len(data) * wire.next.share)
                    head, data = data[:at], data[at:]
                    if not await self._strike(wire, writer, head, data):
                        return
                elif self._failing:
                    wire.left -= 1
                writer.write(data)
                await writer.drain()
        wire.close()  # HTTP and JSON-RPC close both directions at once

    async def _strike(self, wire: _Wire, writer: asyncio.StreamWriter, head: bytes, rest: bytes) -> bool:
        """Pass on what came before the fault, and let it happen. False when the connection ends with it."""
        fate = wire.next
        self.counts[wire.link.name, fate.fault] += 1
        wire.turn()
        writer.write(head)
        await writer.drain()
        if fate.fault is Fault.DUPLICATE:
            _repeat(wire, fate, writer, head, rest)
        elif fate.fault is Fault.CUT:
            wire.close()
        elif fate.fault is not Fault.RESET:
            async with wire.gate:
                await asyncio.sleep(fate.seconds)
        if fate.fault in (Fault.RESET, Fault.SILENCE):
            wire.tear()
        return fate.fault in (Fault.DUPLICATE, Fault.DELAY)


def _repeat(wire: _Wire, fate: Fate, writer: asyncio.StreamWriter, head: bytes, rest: bytes) -> None:
    """Some bytes once more, at once or late. `head` was passed on, `rest` will be."""
    whole = wire.link.whole or not fate.size
    if fate.late:
        wire.late[writer] = head + rest if whole else head[-fate.size :]
    else:
        writer.write(rest + head if whole else head[-fate.size :])
