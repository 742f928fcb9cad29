"""The chain's clock: the wall clock, except that it never runs backwards.

When the wall clock is set back, chain time goes on at the monotonic clock's pace from where it was, so that
deadlines still pass. When it is set forward, chain time follows.
"""

import math
from collections.abc import Callable
from typing import Protocol

MAXIMUM_LEAD = 2
"""Seconds that a block's timestamp may be later than the clock."""


class ChainClock:
    """Seconds since the Unix epoch, never less than before, never less than `start`."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float], start: float) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._now = max(wall(), start)
        self._read_at = monotonic()

    def now(self) -> float:
        """The chain's idea of the present, in seconds since the Unix epoch."""
        read_at = self._monotonic()
        self._now = max(self._wall(), self._now + max(0.0, read_at - self._read_at))
        self._read_at = read_at
        return self._now


class Timing(Protocol):
    """When the next block may come, and what time it carries."""

    def next_timestamp(self, parent: int) -> int:
        """The next block's timestamp, in Unix seconds; `parent` is its parent's."""

    def wait(self, parent: int, waiting: bool) -> float:
        """Seconds until the next block is due (infinite: never by itself); `waiting`: it has transactions."""

    def sealed(self) -> None:
        """A block with `next_timestamp` has been sealed."""


class LiveTiming:
    """A network's chain: sealed on demand, at most 2 s ahead of the clock, and by heartbeat when idle."""

    def __init__(self, clock: ChainClock, heartbeat: float) -> None:
        self._clock = clock
        self._heartbeat = heartbeat
        self._sealed_at = math.inf

    def next_timestamp(self, parent: int) -> int:
        return max(parent + 1, int(self._clock.now()))

    def wait(self, parent: int, waiting: bool) -> float:
        now = self._clock.now()
        # A block may be ahead of the clock: idle time counts from when it was made.
        idle_since = min(parent, self._sealed_at)
        due_at = parent + 1 - MAXIMUM_LEAD if waiting else idle_since + self._heartbeat
        return max(0.0, due_at - now)

    def sealed(self) -> None:
        self._sealed_at = self._clock.now()


class DevTiming:
    """A test's chain: every transaction is a block, one second later, and time goes where it is told."""

    def __init__(self) -> None:
        self.automine = True
        self.increase = 0
        self.exactly: int | None = None

    def next_timestamp(self, parent: int) -> int:
        return parent + 1 + self.increase if self.exactly is None else self.exactly

    def wait(self, parent: int, waiting: bool) -> float:
        return 0.0 if waiting and self.automine else math.inf

    def sealed(self) -> None:
        self.increase = 0
        self.exactly = None
