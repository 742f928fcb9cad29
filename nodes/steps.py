"""A step of the pipeline: a thread that takes whatever waits as a list, acts on it, and wakes the steps behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

FALLBACK = 0.5
"""Seconds after which a step looks by itself: it is woken at once when there is work."""
REST = 0.5
"""Seconds for which an errand that moved nothing is not sent again."""

Guard = Callable[[str, Callable[[], bool]], bool]
"""Runs something of a step by that name; False when it failed or moved nothing."""


class Step:
    """Does `act` again and again: at once while it moves something or somebody woke it, else after a pause.

    `act` claims what waits, which is what its state says; a step that has several workers (processes) claims in the
    query that reads its list. `then` names the steps that have work when this one moved something.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[], bool],
        then: Sequence[str] = (),
        pause: Callable[[], float] = lambda: FALLBACK,
        woken: threading.Event | None = None,
    ) -> None:
        self.name, self.then = name, then
        self._act, self._pause = act, pause
        self._woken = woken or threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def wake(self) -> None:
        """There is work, or the end."""
        self._woken.set()

    def start(self, guard: Guard) -> None:
        self._thread = threading.Thread(target=self._run, args=(guard,), name=f"step-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no other round; `join` waits for the one under way."""
        self._stopping = True
        self.wake()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _run(self, guard: Guard) -> None:
        while not self._stopping:
            self._woken.clear()
            if not guard(self.name, self._act):
                self._woken.wait(self._pause())


class Errands:
    """What a step has under way with others: side by side, and one at a time with each (a peer, a lane).

    Whoever is slow keeps only its own errand waiting. `back` hears the step's name once an errand moved something.
    """

    def __init__(self, step: str, guard: Guard, workers: int = 16) -> None:
        self._step, self._guard = step, guard
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=step)
        self._lock = threading.Lock()
        self._busy: set[Hashable] = set()
        self._rests: dict[Hashable, float] = {}

    def busy(self) -> set[Hashable]:
        """With whom an errand is under way, or moved nothing a moment ago."""
        now = time.monotonic()
        with self._lock:
            self._rests = {key: until for key, until in self._rests.items() if until > now}
            return self._busy | self._rests.keys()

    def send(self, key: Hashable, errand: Callable[[], bool]) -> None:
        """Run it beside the step. One step sends with one key only when it is not busy."""
        with self._lock:
            assert key not in self._busy, "one errand at a time"
            self._busy.add(key)
        self._pool.submit(self._run, key, errand)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, key: Hashable, errand: Callable[[], bool]) -> None:
        def home() -> bool:
            moved = False
            try:
                moved = errand()
            finally:
                with self._lock:
                    self._busy.discard(key)
                    if not moved:
                        self._rests[key] = time.monotonic() + REST
            return moved

        self._guard(self._step, home)
