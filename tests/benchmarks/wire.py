"""HTTP/1.1 over kept-alive connections, no more than a load generator needs.

Wallets share two cores with all that they measure. A general client takes twelve times the processor time for a
request (0.83 ms with httpx2, 0.067 ms here, measured side by side), which would come off the figures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

LIMIT = 2**20
FRESH = 2.0
"""Seconds for which an idle connection is used again: services close theirs after five."""


class NoAnswer(Exception):
    """The service did not answer: what was asked may or may not have happened."""


class Wire:
    """Connections to one service on this machine. As many requests at once as are made."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, token: str) -> tuple[int, Any]:
        """HTTP status and JSON document. Raises NoAnswer."""
        return await self._ask(f"GET {path} HTTP/1.1\r\n", token, b"")

    async def post(self, path: str, token: str, body: Any, key: str = "") -> tuple[int, Any]:
        """As `get`; `key` is the Idempotency-Key, where one is needed."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        return await self._ask(head + (f"Idempotency-Key: {key}\r\n" if key else ""), token, content)

    async def events(self, path: str, token: str, begun: Callable[[], None]) -> AsyncIterator[Any]:
        """The documents of a stream of server-sent events, on a connection of its own, until it ends; `begun` is called
        when the service has begun to tell."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT)
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        try:
            writer.write(head.encode())
            while line := await reader.readline():
                if line.startswith(b"retry: "):
                    begun()
                # Each event is whole in one chunk, so the lines between them are lengths and blanks.
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            writer.close()

    def close(self) -> None:
        for _, _, writer in self._idle:
            writer.close()

    async def _ask(self, head: str, token: str, content: bytes) -> tuple[int, Any]:
        text = f"{head}Host: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        try:
            reader, writer = await self._connection()
            writer.write(text.encode() + content)
            status, kept, body = await _answer(reader)
        except (OSError, EOFError, asyncio.LimitOverrunError) as failure:
            raise NoAnswer(type(failure).__name__) from failure
        if kept:
            self._idle.append((time.monotonic(), reader, writer))
        else:
            writer.close()
        return status, json.loads(body)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            since, reader, writer = self._idle.pop()
            if time.monotonic() - since < FRESH:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    """Status, whether the connection stays open, and the body, whose length the services always say."""
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    body = await reader.readexactly(int(headers[b"content-length"]))
    return int(start.split()[1]), headers.get(b"connection") != b"close", body
