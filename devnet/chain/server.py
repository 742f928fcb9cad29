"""The chain behind HTTP: POST / with JSON-RPC 2.0.

One thread does all the chain's work, in the order in which it came: transactions that arrive while a block is
being made are all in the pool when the next one is, so they share it.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from devnet.chain.chain import Chain
from devnet.chain.envelope import MAXIMUM_BODY, answer_body, too_large
from devnet.chain.errors import ChainError

log = logging.getLogger("feiqian.chain")

BODY_SECONDS = 10.0
LONGEST_SLEEP = 1.0
SHUTDOWN_SECONDS = 3
KEEP_ALIVE_SECONDS = 75
STACK_BYTES = 64 * 1024 * 1024


class ChainServer:
    """Answers requests and seals blocks when they are due, all on one worker thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        # Room for 1024 nested calls, whatever the system gives a thread.
        threading.stack_size(STACK_BYTES)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chain")
        self._changed = asyncio.Event()

    def app(self) -> Starlette:
        """The ASGI application; its lifespan is the sealing loop's."""
        routes = [Route("/", self.answer, methods=["POST"])]
        return Starlette(routes=routes, lifespan=self._lifespan)

    async def answer(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(request)
        except TimeoutError:
            return Response(status_code=408, headers={"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _json(too_large(), status=413)
        answered = await self._work(answer_body, self._chain, body)
        if len(self._chain.pool):
            # A sender's first look for the receipt should find it.
            await self._work(self._tick)
            self._changed.set()
        return Response(status_code=204) if answered is None else _json(answered)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> Any:
        sealing = asyncio.create_task(self._seal_when_due())
        try:
            yield
        finally:
            sealing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sealing
            self._worker.shutdown()

    async def _seal_when_due(self) -> None:
        while True:
            # The clock may be set while we sleep, so never sleep long.
            wait = min(await self._work(self._chain.due), LONGEST_SLEEP)
            if wait > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait)
                self._changed.clear()
            elif not await self._work(self._tick):
                await asyncio.sleep(LONGEST_SLEEP)

    def _tick(self) -> bool:
        """Whether a block was sealed; a failure is logged and tried again, it does not end the chain."""
        try:
            return self._chain.tick()
        except Exception:
            log.exception("cannot seal a block")
            return False

    async def _work(self, run: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._worker, run, *arguments)


def serve(chain: Chain, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` gets one line, with the address, when it listens."""
    listening = _listen(host, port)
    config = uvicorn.Config(
        _app_of(chain),
        factory=True,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)

    def stop(*_: Any) -> None:
        server.should_exit = True

    # uvicorn raises a signal it caught once more at its end: it should find these, not the default.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    address = f"http://{host}:{listening.getsockname()[1]}"
    announce(f"feiqian chain {chain.chain_id} at {address}, block {chain.head.block_number}")
    server.run(sockets=[listening])
    log.info("stopped at block %d", chain.head.block_number)


def _app_of(chain: Chain) -> Callable[[], Starlette]:
    return lambda: ChainServer(chain).app()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ChainError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(128)
    return listening


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is over the limit."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAXIMUM_BODY:
            return None
    return bytes(received)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="application/json")
