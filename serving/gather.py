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
    """One asker's place in a list, and what came of it."""

    item: Any
    called: threading.Event = field(default_factory=threading.Event)
    """Set when there is an answer, or when it is this asker's turn to lead."""
    answered: bool = False
    result: Any = None
    failure: BaseException | None = None


class Gatherer:
    """Gathers what threads ask at the same time into lists of at most `most`, one round at a time for each key."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, list[_Seat]] = {}
        """By key, while a round runs or is about to: who is in the next one."""

    def ask(self, key: Hashable, item: Item, act: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """What `act` gives for this item, in a list with what others ask under the same key; it gives one result an
        item, in their order. Raises what `act` raised for the whole list; a result that is an error is returned.
        """
        seat = _Seat(item)
        with self._lock:
            leads = key not in self._waiting
            self._waiting.setdefault(key, []).append(seat)
        if not leads:
            seat.called.wait()
        if not seat.answered:
            self._lead(key, act)
        if seat.failure is not None:
            raise seat.failure
        result: Result = seat.result
        return result

    def _lead(self, key: Hashable, act: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """One round with everybody who waits, then the lead passes on."""
        with self._lock:
            seats, self._waiting[key] = self._waiting[key][: self._most], self._waiting[key][self._most :]
        try:
            for seat, result in zip(seats, act([seat.item for seat in seats]), strict=True):
                seat.result = result
        except BaseException as failure:
            for seat in seats:
                seat.failure = failure
        for seat in seats:
            seat.answered = True
            seat.called.set()
        with self._lock:
            if not self._waiting[key]:
                del self._waiting[key]
                return
            self._waiting[key][0].called.set()
