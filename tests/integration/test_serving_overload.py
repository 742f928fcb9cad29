"""Too many at once: half-open connections stop nobody, and beyond a bound the next request is refused at once."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import httpx2
import pytest
import uvicorn

from contracts.terms.errors import Busy
from serving.bodies import MAX_AT_WORK, BoundedBodies
from tests import plain_http

HALF_OPEN = 1000
HALVES = (b"POST /orders HTTP/1.1\r\nHost: x\r\n", b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body, then answers."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def url() -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(BoundedBodies(answering), port=0, log_config=None, lifespan="off"))
    listening = server.config.bind_socket()
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join()
    listening.close()


def test_a_thousand_half_open_connections_do_not_stop_the_others(url: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * HALF_OPEN), hard), hard))
    address = (httpx2.URL(url).host, httpx2.URL(url).port)
    with ExitStack() as left_open:
        for number in range(HALF_OPEN):
            connection = left_open.enter_context(socket.create_connection(address))  # type: ignore[arg-type]
            connection.sendall(HALVES[number % 2])
        for _ in range(3):
            assert plain_http.post(url + "/orders", content=b"{}", timeout=20).text == "done"


def test_beyond_the_bound_the_next_is_refused_at_once_and_taken_again_later() -> None:
    async def overload() -> list[str]:
        release = asyncio.Event()

        async def working(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await release.wait()

        async def body() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def nothing(_: Any) -> None: ...

        door = BoundedBodies(working)

        async def request() -> str:
            try:
                await door({"type": "http", "headers": []}, body, nothing)
            except Busy:
                return "refused"
            return "done"

        at_work = [asyncio.create_task(request()) for _ in range(MAX_AT_WORK)]
        await asyncio.sleep(0)
        beyond = [await request() for _ in range(3)]
        release.set()
        assert set(await asyncio.gather(*at_work)) == {"done"}
        return [*beyond, await request()]

    assert asyncio.run(overload()) == ["refused"] * 3 + ["done"]
