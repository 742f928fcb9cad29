"""How many payments may be under way: as many as settle in a part of a payment's life, and the next is refused early.

Without a bound, payments that come faster than they settle all wait until most of them expire: the work on them is
lost, and with it the time of those that could have settled. How fast payments settle is measured for each creditor
agent: one that is away fills only its own room.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping

from contracts.terms.errors import Busy
from contracts.terms.identifiers import Address
from nodes.payments import repository
from serving.database import Database

PARTS = 4
"""A payment is taken when those ahead of it settle within its life divided by this: some time is left for the rest."""
WINDOW = 5
"""Seconds over which is measured how fast payments settle."""
SECONDS = 0.25
"""For which a count of what is under way is good; what is taken meanwhile is added."""


class Admission:
    """Room for payments of our customers by creditor agent, as this process sees it. Usable from several threads."""

    def __init__(self, lifetime: int, least: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`lifetime` of a payment in seconds; `least` may be under way to an agent that nobody has paid for a while."""
        self._lifetime, self._least, self._clock = lifetime, least, clock
        self._lock = threading.Lock()
        self._settled: dict[Address, deque[tuple[float, int]]] = defaultdict(deque)
        self._under_way: Counter[Address] = Counter()
        self._counted_at = float("-inf")

    def observe(self, settled: Mapping[Address, int]) -> None:
        """So many payments to each creditor agent are in a final block that was just read."""
        now = self._clock()
        with self._lock:
            for agent, count in settled.items():
                self._settled[agent].append((now, count))

    def look(self, database: Database) -> None:
        """Count what is under way, unless that was done a moment ago."""
        with self._lock:
            now = self._clock()
            if now - self._counted_at < SECONDS:
                return
            self._counted_at = now
        with database.read() as connection:
            counted = repository.under_way(connection)
        with self._lock:
            self._under_way = Counter(counted)

    def take(self, agents: Mapping[Address, int]) -> None:
        """So many payments to each creditor agent are under way now."""
        with self._lock:
            self._under_way.update(agents)

    def require_room(self, agent: Address) -> None:
        """Raises Busy, with the seconds until there may be room, when a payment would wait too long behind those that
        are under way. A list is taken whole where there is room for one more."""
        with self._lock:
            ahead, in_window = self._under_way[agent], self._settled_lately(agent)
        room = max(self._least, in_window * self._lifetime // (PARTS * WINDOW))
        if ahead >= room:
            seconds = min(self._lifetime, max(1, (ahead - room) * WINDOW // max(in_window, 1)))
            raise Busy("more payments are under way than settle in time; nothing was taken", retry_after=seconds)

    def _settled_lately(self, agent: Address) -> int:
        counts, since = self._settled[agent], self._clock() - WINDOW
        while counts and counts[0][0] < since:
            counts.popleft()
        return sum(count for _, count in counts)
