"""More payments than settle in time are refused early, with when to ask again; what was taken keeps its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from contracts.terms.errors import Busy
from contracts.terms.payment import Event
from nodes.payments.admission import PARTS, WINDOW, Admission
from tests.node_door import LIFETIME, PEER, Door, opened

OTHER, ROOM = "0x" + "9" * 40, 10
PATIENCE = 20.0


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db", room=ROOM) as made:
        yield made


def fill(door: Door, count: int) -> list[dict[str, Any]]:
    """As many payments as asked for, in one request: a list is taken whole."""
    items = [{"idempotency_key": f"key-{quote}", "quote_id": quote} for quote in door.quotes(count, source=1)]
    answers: list[dict[str, Any]] = door.pay_all(items).json()["answers"]
    return answers


def until(ask: Callable[[], Any], status: int) -> Any:
    """Ask until it is answered so: what is under way is counted four times a second."""
    end = time.monotonic() + PATIENCE
    while (answer := ask()).status_code != status and time.monotonic() < end:
        time.sleep(0.05)
    assert answer.status_code == status, answer.text
    return answer


def test_beyond_the_room_the_next_is_refused_early_and_taken_once_there_is_room(door: Door) -> None:
    answers = fill(door, ROOM + 3)
    taken = [each["accepted"]["uetr"] for each in answers]
    earmarked = door.earmarked()
    quote = door.quote()
    refused = door.pay(quote, "late")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:feiqian:problem:busy")
    assert 1 <= int(refused.headers["retry-after"]) <= LIFETIME
    assert door.earmarked() == earmarked, "nothing was taken"
    assert door.pay("quote-0", "key-quote-0").json() == answers[0]["accepted"], "what was answered stays so"
    for uetr in taken[:4]:
        door.move(uetr, Event.REFUSE)
    assert "uetr" in until(lambda: door.pay(quote, "late"), 202).json()


def test_one_agent_that_takes_nothing_leaves_room_for_the_others(door: Door) -> None:
    fill(door, ROOM)
    assert door.pay(door.quote(), "to-the-same").status_code == 503
    other = door.quote()

    moved = text("UPDATE quotes SET creditor_agent = :agent WHERE id = :id").bindparams(agent=OTHER, id=other)
    door.database.write(lambda connection: connection.execute(moved))
    assert door.pay(other, "to-another").status_code == 202


def test_held_payments_take_no_room(door: Door) -> None:
    taken = [each["accepted"]["uetr"] for each in fill(door, ROOM)]
    for uetr in taken[:3]:
        door.move(uetr, Event.HOLD)
    quote = door.quote()
    until(lambda: door.pay(quote, "late"), 202)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def room(admission: Admission) -> int:
    """How many payments are taken until one is refused."""
    for taken in range(10**5):
        try:
            admission.require_room(PEER)
        except Busy:
            return taken
        admission.take({PEER: 1})
    raise AssertionError("no bound")


@pytest.mark.parametrize(("settled", "taken"), [(0, ROOM), (6, ROOM), (1_000, 1_000 * LIFETIME // (PARTS * WINDOW))])
def test_there_is_room_for_what_settles_in_a_part_of_a_life(settled: int, taken: int) -> None:
    admission = Admission(LIFETIME, ROOM, clock := Clock())
    admission.observe({PEER: settled // 2, OTHER: 10**6})
    clock.now += 1
    admission.observe({PEER: settled - settled // 2})
    assert room(admission) == taken
    with pytest.raises(Busy) as refusal:
        admission.require_room(PEER)
    assert 1 <= int(refusal.value.fields["retry_after"]) <= LIFETIME


def test_what_settled_long_ago_makes_no_room() -> None:
    admission = Admission(LIFETIME, ROOM, clock := Clock())
    admission.observe({PEER: 1_000})
    clock.now += WINDOW + 1
    assert room(admission) == ROOM
