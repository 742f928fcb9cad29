"""Many who ask at once are answered by one act on a list: whoever comes while a round runs is in the next one.

Alone, an asker acts at once; under load, lists grow by themselves. Nobody waits for a fixed time, and no thread is
held in reserve: the first who waits when a round ends leads the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Seat:
    """One asker's part of a list, and what came of it."""

    items: Sequence[Any]
    called: threading.Event = field(default_factory=threading.Event)
    """Set when there are answers, or when it is this asker's turn to lead."""
    answered: bool = False
    results: Sequence[Any] = ()
    failure: BaseException | None = None


class Gatherer:
    """Gathers what threads ask at the same time into lists of about `most`, one round at a time for each key."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, list[_Seat]] = {}
        """By key, while a round runs or is about to: who is in the next one."""

    def ask(
        self, key: Hashable, items: Sequence[Item], act: Callable[[Sequence[Item]], Sequence[Result]]
    ) -> list[Result]:
        """What `act` gives for these items, in one list with what others ask under the same key; it gives one result an
        item, in their order. Raises what `act` raised for the whole list.
        """
        seat = _Seat(items)
        with self._lock:
            leads = key not in self._waiting
            self._waiting.setdefault(key, []).append(seat)
        if not leads:
            seat.called.wait()
        if not seat.answered:
            self._lead(key, act)
        if seat.failure is not None:
            raise seat.failure
        return list(seat.results)

    def _lead(self, key: Hashable, act: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """One round with everybody who waits, then the lead passes on."""
        seats = self._take(key)
        try:
            results = act([item for seat in seats for item in seat.items])
            assert len(results) == sum(len(seat.items) for seat in seats), "one result an item"
            begin = 0
            for seat in seats:
                seat.results = results[begin : begin + len(seat.items)]
                begin += len(seat.items)
        except BaseException as failure:
            for seat in seats:
                seat.failure = failure
        for seat in seats:
            seat.answered = True
            seat.called.set()
        with self._lock:
            if self._waiting[key]:
                self._waiting[key][0].called.set()
            else:
                del self._waiting[key]

    def _take(self, key: Hashable) -> list[_Seat]:
        """Those who wait, the first of them in any case, up to about `most` items."""
        with self._lock:
            waiting, count, taken = self._waiting[key], 0, 0
            while taken < len(waiting) and (taken == 0 or count + len(waiting[taken].items) <= self._most):
                count += len(waiting[taken].items)
                taken += 1
            self._waiting[key] = waiting[taken:]
            return waiting[:taken]
