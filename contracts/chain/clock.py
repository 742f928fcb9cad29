"""Chain time: what deadlines are made and judged by, never a wall clock alone."""

from __future__ import annotations

import time
from collections.abc import Callable


class ChainClock:
    """The time of the newest final block plus the monotonic time that has passed since it was seen.

    `now()` is an estimate for making deadlines (the chain may lead it by its allowance); that a deadline has passed
    is judged by `final_time()` alone.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen = (0, monotonic())

    def observe(self, final_time: int) -> None:
        """A final block with this timestamp (seconds) was seen."""
        if final_time > self._seen[0]:
            self._seen = (final_time, self._monotonic())

    def final_time(self) -> int:
        """The timestamp of the newest final block, in seconds; 0 before the first."""
        return self._seen[0]

    def now(self) -> int:
        """The estimate of chain time now, in whole seconds."""
        final_time, seen_at = self._seen
        return final_time + int(self._monotonic() - seen_at)

    def stalled(self, tolerance: float) -> bool:
        """True when no new final block was seen for `tolerance` seconds."""
        return self._monotonic() - self._seen[1] > tolerance
