"""What threads ask in the same moment is one list; each hears its own answers, and one key waits for no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.gather import Gatherer


class Slow:
    """Doubles numbers once it is let; remembers the lists that it was given."""

    def __init__(self) -> None:
        self.lists: list[list[int]] = []
        self.begun, self.may = threading.Event(), threading.Event()

    def double(self, numbers: Sequence[int]) -> list[int]:
        self.lists.append(list(numbers))
        self.begun.set()
        assert self.may.wait(10)
        if -1 in numbers:
            raise ValueError("a bad list")
        return [2 * number for number in numbers]


def waiting(gatherer: Gatherer, key: str) -> int:
    return sum(len(seat.items) for seat in gatherer._waiting.get(key, []))


def until(condition: object) -> None:
    end = threading.Event()
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        end.wait(0.01)
    raise AssertionError("it never came about")


def test_whoever_comes_while_a_round_runs_is_in_the_next_one() -> None:
    gatherer, slow = Gatherer(), Slow()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(gatherer.ask, "numbers", [1], slow.double)
        assert slow.begun.wait(10)
        others = [pool.submit(gatherer.ask, "numbers", [n, 10 * n], slow.double) for n in range(2, 10)]
        until(lambda: waiting(gatherer, "numbers") == 16)
        slow.may.set()
        assert first.result(10) == [2]
        assert [each.result(10) for each in others] == [[2 * n, 20 * n] for n in range(2, 10)]
    assert slow.lists[0] == [1]
    assert len(slow.lists) == 2
    assert sorted(slow.lists[1]) == sorted([*range(2, 10), *range(20, 100, 10)])


def test_a_round_takes_no_more_than_its_bound_but_any_first_one() -> None:
    gatherer, slow = Gatherer(most=3), Slow()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gatherer.ask, "numbers", [1, 2, 3, 4], slow.double)
        assert slow.begun.wait(10)
        others = [pool.submit(gatherer.ask, "numbers", [n, n], slow.double) for n in (5, 6)]
        until(lambda: waiting(gatherer, "numbers") == 4)
        slow.may.set()
        assert first.result(10) == [2, 4, 6, 8]
        assert [each.result(10) for each in others] == [[10, 10], [12, 12]]
    assert [len(each) for each in slow.lists] == [4, 2, 2]


def test_a_failure_is_heard_by_all_of_its_round_and_by_nobody_else() -> None:
    gatherer, slow = Gatherer(), Slow()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(gatherer.ask, "numbers", [1], slow.double)
        assert slow.begun.wait(10)
        others = [pool.submit(gatherer.ask, "numbers", [n], slow.double) for n in (-1, 2)]
        until(lambda: waiting(gatherer, "numbers") == 2)
        slow.may.set()
        assert first.result(10) == [2]
        for each in others:
            with pytest.raises(ValueError, match="a bad list"):
                each.result(10)
    assert gatherer.ask("numbers", [3], slow.double) == [6]


def test_one_key_waits_for_no_other() -> None:
    gatherer, slow = Gatherer(), Slow()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(gatherer.ask, "slow peer", [1], slow.double)
        assert slow.begun.wait(10)
        assert gatherer.ask("quick peer", [2], lambda numbers: [-n for n in numbers]) == [-2]
        slow.may.set()
        assert first.result(10) == [2]
