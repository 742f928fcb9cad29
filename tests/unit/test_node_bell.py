"""The bell that wakes requests which wait for a payment to move."""

from __future__ import annotations

import asyncio
import threading

from nodes.bell import Bell

PATIENCE = 10.0


def test_a_ring_from_another_thread_wakes_all_who_listen() -> None:
    bell, listening = Bell(), threading.Semaphore(0)

    async def one() -> bool:
        with bell.listening() as heard:
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
        with bell.listening() as ring:
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
        with bell.listening() as heard:
            heard.clear()
            await asyncio.to_thread(bell.ring)  # the payment moves just after it was looked at
            return await asyncio.wait_for(heard.wait(), PATIENCE)

    assert asyncio.run(look_then_wait())


def test_who_has_left_is_not_rung_for() -> None:
    bell = Bell()

    async def leave() -> asyncio.Event:
        with bell.listening() as heard:
            return heard

    left = asyncio.run(leave())
    bell.ring()  # its loop is closed: calling it would fail
    assert not left.is_set()
