"""What compliance knows of the chain: the time, and whether it may still be trusted."""

from __future__ import annotations

from contracts.chain.clock import ChainClock
from contracts.terms.errors import ChainUnavailable


class ChainTime:
    """Chain time that fails closed: nobody is screened or attested by a clock that has stopped."""

    def __init__(self, clock: ChainClock, tolerance: float) -> None:
        self.clock, self._tolerance = clock, tolerance
        self._halted = ""

    def now(self) -> int:
        """Chain time in seconds. Raises ChainUnavailable when no final block came for longer than the tolerance."""
        if self._halted:
            raise ChainUnavailable(f"halted: {self._halted}")
        if self.clock.final_time() == 0 or self.clock.stalled(self._tolerance):
            raise ChainUnavailable("no new final block was seen; nothing is decided or attested until one is")
        return self.clock.now()

    def halt(self, why: str) -> None:
        """Stop for good: the chain broke its word."""
        self._halted = why
