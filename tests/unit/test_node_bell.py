"""The bell that wakes requests which wait for a payment to move."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from contextlib import ExitStack

import pytest

from contracts.terms.errors import Busy
from nodes.bell import MOST, MOST_OF_ONE, Bell

PATIENCE = 10.0


def test_a_ring_from_another_thread_wakes_all_who_listen() -> None:
    bell, listening = Bell(), threading.Semaphore(0)

    async def one() -> bool:
        with bell.listening("malee") as heard:
            listening.release()
            return await asyncio.wait_for(heard.wait(), PATIENCE)

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(one() for _ in range(50)))

    def ring_once_all_listen() -> None:
        for _ in range(50):
            listening.acquire()
        bell.ring()

    ringing = threading.Thread(target=ring_once_all_listen)
    ringing.start()
    assert asyncio.run(all_of_them()) == [True] * 50
    ringing.join()


def test_two_event_loops_hear_one_ring() -> None:
    bell, listening, heard = Bell(), threading.Barrier(3), []

    async def one() -> None:
        with bell.listening("malee") as ring:
            await asyncio.to_thread(listening.wait, PATIENCE)
            heard.append(await asyncio.wait_for(ring.wait(), PATIENCE))

    loops = [threading.Thread(target=lambda: asyncio.run(one())) for _ in range(2)]
    for each in loops:
        each.start()
    listening.wait(PATIENCE)
    bell.ring()
    for each in loops:
        each.join(PATIENCE)
    assert heard == [True, True]


def test_a_ring_between_looking_and_waiting_is_not_lost() -> None:
    bell = Bell()

    async def look_then_wait() -> bool:
        with bell.listening("malee") as heard:
            heard.clear()
            await asyncio.to_thread(bell.ring)  # the payment moves just after it was looked at
            return await asyncio.wait_for(heard.wait(), PATIENCE)

    assert asyncio.run(look_then_wait())


def test_who_has_left_is_not_rung_for() -> None:
    bell = Bell()

    async def leave() -> asyncio.Event:
        with bell.listening("malee") as heard:
            return heard

    left = asyncio.run(leave())
    bell.ring()  # its loop is closed: calling it would fail
    assert not left.is_set()


def test_with_a_look_only_those_wake_whose_payments_moved() -> None:
    counted = {"malee": 1, "anan": 1}
    bell = Bell(lambda owners: {each: counted[each] for each in owners})

    async def listen() -> tuple[bool, bool]:
        with bell.listening("malee") as moved, bell.listening("anan") as unmoved:
            await asyncio.wait_for(asyncio.gather(moved.wait(), unmoved.wait()), PATIENCE)  # the first look
            moved.clear()
            unmoved.clear()
            counted["malee"] = 2
            bell.ring()
            await asyncio.wait_for(moved.wait(), PATIENCE)
            return moved.is_set(), unmoved.is_set()

    assert asyncio.run(listen()) == (True, False)
    bell.close()


def test_what_another_process_moved_is_heard_without_a_ring() -> None:
    counted = {"malee": 1}
    bell = Bell(lambda owners: {each: counted[each] for each in owners})

    async def listen() -> bool:
        with bell.listening("malee") as heard:
            await asyncio.wait_for(heard.wait(), PATIENCE)
            heard.clear()
            counted["malee"] = 2
            return await asyncio.wait_for(heard.wait(), PATIENCE)

    assert asyncio.run(listen())
    bell.close()


def test_a_look_that_fails_is_tried_again() -> None:
    failures = [OSError("the database is away")]

    def look(owners: Collection[str]) -> dict[str, int]:
        if failures:
            raise failures.pop()
        return dict.fromkeys(owners, 1)

    bell = Bell(look)

    async def listen() -> bool:
        with bell.listening("malee") as heard:
            return await asyncio.wait_for(heard.wait(), PATIENCE)

    assert asyncio.run(listen())
    assert failures == []
    bell.close()


def test_one_owner_does_not_take_everybodys_room() -> None:
    bell = Bell()

    async def fill() -> None:
        with ExitStack() as stack:
            for _ in range(MOST_OF_ONE):
                bell.require_room("malee")
                stack.enter_context(bell.listening("malee"))
            with pytest.raises(Busy):
                bell.require_room("malee")
            bell.require_room("anan")
            for number in range(MOST - MOST_OF_ONE):
                stack.enter_context(bell.listening(f"owner-{number}"))
            with pytest.raises(Busy):
                bell.require_room("anan")
        bell.require_room("malee")

    asyncio.run(fill())
