"""A bell that is rung when payments moved, and that requests which wait for one listen to.

One thread looks, after each ring, whose payments moved, and wakes those alone: however many listen, a ring costs one
question. It also looks by itself now and then, for what other processes of the node moved.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from contracts.terms.errors import Busy

LOOK_AGAIN = 0.25
"""Seconds between looks without a ring, while somebody listens."""
MOST_OF_ONE, MOST = 64, 2_000
"""How many may listen for one owner, and in all."""

Look = Callable[[Collection[str]], Mapping[str, int]]
"""How many events each of these owners has had."""
_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Listener:
    owner: str
    loop: asyncio.AbstractEventLoop
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int | None = None


class Bell:
    """Rung from any thread, heard on event loops. Who listens looks for itself what has moved.

    Without `look` every ring wakes everybody.
    """

    def __init__(self, look: Look | None = None) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._listeners: set[_Listener] = set()
        self._count: Counter[str] = Counter()
        self._rung, self._closing = threading.Event(), False
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        if self._look is None:
            self._wake(self._listening())
        else:
            self._rung.set()

    @contextmanager
    def listening(self, owner: str) -> Iterator[asyncio.Event]:
        """An event that is set when payments of this owner moved. Clear it before looking, wait for it after."""
        listener = _Listener(owner, asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
            self._count[owner] += 1
            if self._look is not None and self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="bell", daemon=True)
                self._thread.start()
        try:
            yield listener.heard
        finally:
            with self._lock:
                self._listeners.discard(listener)
                self._count[owner] -= 1
                if not self._count[owner]:
                    del self._count[owner]

    def require_room(self, owner: str) -> None:
        """Raises Busy when so many listen already that one more of this owner may not."""
        with self._lock:
            if self._count[owner] >= MOST_OF_ONE or len(self._listeners) >= MOST:
                raise Busy("too many requests wait for payments to move; end some of yours, or try again later")

    def close(self) -> None:
        """Look no more."""
        self._closing = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        assert self._look is not None
        while not self._closing:
            self._rung.wait(LOOK_AGAIN)
            self._rung.clear()
            listeners = self._listening()
            if not listeners or self._closing:
                continue
            try:
                counted = self._look({each.owner for each in listeners})
            except Exception:  # the database may be away for a moment
                _log.exception("cannot see whose payments moved")
                continue
            moved = [each for each in listeners if each.seen != counted.get(each.owner, 0)]
            for each in moved:
                each.seen = counted.get(each.owner, 0)
            self._wake(moved)

    def _listening(self) -> list[_Listener]:
        with self._lock:
            return list(self._listeners)

    def _wake(self, listeners: Collection[_Listener]) -> None:
        with self._lock:  # who has left is not in the set, and its loop may be closed
            for each in self._listeners.intersection(listeners):
                each.loop.call_soon_threadsafe(each.heard.set)
