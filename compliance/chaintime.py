"""What compliance knows of the chain: the time, while it passes."""

from __future__ import annotations

from contracts.chain.clock import ChainClock
from contracts.terms.errors import ChainUnavailable


class ChainTime:
    """Chain time that fails closed: nobody is screened or attested by a clock that has stopped."""

    def __init__(self, clock: ChainClock, tolerance: float) -> None:
        self.clock, self._tolerance = clock, tolerance

    def now(self) -> int:
        """Chain time in seconds. Raises ChainUnavailable when no final block came for longer than the tolerance."""
        if self.clock.final_time() == 0 or self.clock.stalled(self._tolerance):
            raise ChainUnavailable("no new final block was seen; nothing is decided or attested until one is")
        return self.clock.now()
