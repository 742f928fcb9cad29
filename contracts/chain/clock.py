"""Chain time: what deadlines are made and judged by, never a wall clock alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class ChainClock:
    """The time of the newest final block plus the monotonic time that has passed since it was seen.

    `now()` never goes backwards. It is an estimate for making deadlines; that one has passed is judged by
    `final_time()` alone.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._final_time = 0
        self._seen_at = monotonic()

    def observe(self, final_time: int) -> None:
        """A final block with this timestamp (seconds) was seen."""
        with self._lock:
            if final_time > self._final_time:
                now = self._now()
                # A block that lags the estimate must not turn the clock back.
                self._seen_at = self._monotonic() - max(0.0, now - final_time if self._final_time else 0.0)
                self._final_time = final_time

    def final_time(self) -> int:
        """The timestamp of the newest final block, in seconds; 0 before the first."""
        return self._final_time

    def now(self) -> int:
        """The estimate of chain time now, in whole seconds."""
        with self._lock:
            return int(self._now())

    def _now(self) -> float:
        return self._final_time + (self._monotonic() - self._seen_at)
