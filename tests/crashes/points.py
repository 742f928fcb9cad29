"""The crash points of a service, planted into its process before it starts: the product knows nothing of them.

A point is named by its place in the life of the work: the kind of service, on whose behalf (a request's route, a step
of the worker, the start), what, and how far it has come.

    a transaction     written (nothing committed), committed (not acknowledged), acknowledged (nobody has heard)
    a request         heard (nothing done), answering (all done, nobody has heard)
    a message         asking (not sent), answered (or not; not acted upon)
    a transaction on chain   sending, sent

Asking to read only (GET) changes nothing and has no points.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from tests.crashes.traps import Walker

_NAMES = re.compile("/(accounts|merchants|payments|holds)/(?!bulk|status)[^/]+")
"""Which one it is about is no part of a route."""
_request: ContextVar[str] = ContextVar("request", default="")


class Points:
    """The points of this process."""

    def __init__(self, folder: Path, service: str, kind: str) -> None:
        self._walker, self._kind = Walker(folder, service), kind

    def reach(self, behalf: str, what: str, moment: str) -> None:
        """Be there; perhaps for the last time."""
        if self._walker.reach(f"{self._kind}: {behalf}: {what}: {moment}"):
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()  # nothing more is done until the kernel has acted


def plant(points: Points) -> None:
    """Put the points into the doors that everything passes: the database's, the peers', the chain's, HTTP."""
    _into_transactions(points)
    _into_messages(points)
    _into_chain(points)
    _into_requests(points)


def _behalf() -> str:
    """On whose behalf this thread works."""
    name = threading.current_thread().name
    return _request.get() or ("start" if name == "MainThread" else re.sub(r"[-_]?\d.*", "", name))


def _name(work: Callable[..., Any]) -> str:
    """Where a piece of work is written: the function that makes it, for one without a name."""
    work = work.func if isinstance(work, partial) else work
    return f"{work.__module__}.{work.__qualname__.split('.<locals>')[0]}"


def _into_transactions(points: Points) -> None:
    from serving.database import Database
    from serving.postgresql import PostgresqlStore
    from serving.sqlite import SqliteStore

    submit, groups = Database.submit, threading.local()

    def watched(self: Database, work: Callable[[Any], Any]) -> Any:
        place = _behalf(), _name(work)

        def run(connection: Any) -> Any:
            result = work(connection)
            groups.places.append(place)
            return result

        return submit(self, run)

    def reach(moment: str) -> None:
        for behalf, what in getattr(groups, "places", None) or [(_behalf(), "migrate")]:
            points.reach(behalf, what, moment)

    Database.submit = watched  # type: ignore[method-assign]
    for store in (SqliteStore, PostgresqlStore):
        _into_store(store, groups, reach)


def _into_store(store: Any, groups: threading.local, reach: Callable[[str], None]) -> None:
    queue, count, acknowledge = store.queue, store.count, store.acknowledge

    def queueing(self: Any, *arguments: Any) -> None:
        groups.places = []
        queue(self, *arguments)

    def counting(self: Any, *arguments: Any) -> int:
        generation: int = count(self, *arguments)
        reach("written")
        return generation

    def acknowledging(self: Any, *arguments: Any) -> None:
        reach("committed")
        acknowledge(self, *arguments)
        reach("acknowledged")

    store.queue, store.count, store.acknowledge = queueing, counting, acknowledging


def _into_messages(points: Points) -> None:
    from serving.client import PeerClient

    post = PeerClient.post

    def watched(self: PeerClient, peer: Any, path: str, body: bytes) -> Any:
        points.reach(_behalf(), path, "asking")
        try:
            return post(self, peer, path, body)
        finally:
            points.reach(_behalf(), path, "answered")

    PeerClient.post = watched  # type: ignore[method-assign]


def _into_chain(points: Points) -> None:
    from contracts.chain.client import ChainClient

    request = ChainClient.request

    def watched(self: ChainClient, method: str, *arguments: Any) -> Any:
        if method != "eth_sendRawTransaction":
            return request(self, method, *arguments)
        points.reach(_behalf(), method, "sending")
        answer = request(self, method, *arguments)
        points.reach(_behalf(), method, "sent")
        return answer

    ChainClient.request = watched  # type: ignore[method-assign]


def _into_requests(points: Points) -> None:
    from serving import run

    serve = run.serve
    run.serve = lambda app, bound: serve(_Watched(app, points), bound)  # type: ignore[arg-type]


class _Watched:
    """An application whose requests to change something have points."""

    def __init__(self, app: Any, points: Points) -> None:
        self._app, self._points = app, points

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = f"{scope['method']} " + _NAMES.sub(r"/\1/*", scope["path"])
        _request.set(route)
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return

        async def answering(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._points.reach(route, "request", "answering")
            await send(message)

        self._points.reach(route, "request", "heard")
        await self._app(scope, receive, answering)
