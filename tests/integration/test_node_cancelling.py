"""A customer withdraws a payment until it is agreed; from then on the answer says when its end is certain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.terms.payment import Event
from tests.node_door import LIFETIME, NOW, Door, opened

WITHDRAWN = {"accepted": (), "held": (Event.HOLD,), "screened": (Event.CLEAR,)}
UNDER_WAY = {
    "agreed": (Event.CLEAR, Event.AGREE),
    "cosigning": (Event.CLEAR, Event.AGREE, Event.BATCH),
    "committing": (Event.CLEAR, Event.AGREE, Event.BATCH, Event.SIGN),
}
ENDED = {
    "settled": (*UNDER_WAY["committing"], Event.SETTLE),
    "refused": (Event.REFUSE,),
    "expired": (Event.EXPIRE,),
    "cancelled": (Event.CANCEL,),
}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db") as made:
        yield made


def cancel(door: Door, uetr: str, who: str = "malee") -> Any:
    return door.http.post(f"/v1/payments/{uetr}/cancellation", headers=door.token(who))


@pytest.mark.parametrize("state", WITHDRAWN)
def test_until_it_is_agreed_it_is_withdrawn_at_once(door: Door, state: str) -> None:
    uetr = door.paid()
    door.move(uetr, *WITHDRAWN[state])
    assert cancel(door, uetr, "anan").status_code == 404
    answer = cancel(door, uetr)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["reason"]) == ("cancelled", "CUST")
    assert door.earmarked() == 0, "the money is free"
    assert cancel(door, uetr).status_code == 409
    assert door.earmarked() == 0


@pytest.mark.parametrize("state", UNDER_WAY)
def test_once_agreed_the_answer_says_when_it_will_be_certain(door: Door, state: str) -> None:
    uetr = door.paid()
    door.move(uetr, *UNDER_WAY[state])
    answer = cancel(door, uetr)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:feiqian:problem:wrong-state")
    assert (answer.json()["state"], answer.json()["deadline"]) == (state, NOW + LIFETIME)
    assert f"once chain time is past {NOW + LIFETIME}" in answer.json()["detail"]
    assert door.get(f"/v1/payments/{uetr}").json()["status"] == state
    assert door.earmarked() == 1_005


@pytest.mark.parametrize("state", ENDED)
def test_one_that_has_ended_stays_so(door: Door, state: str) -> None:
    uetr = door.paid()
    door.move(uetr, *ENDED[state])
    answer = cancel(door, uetr)
    assert (answer.status_code, answer.json()["state"]) == (409, state)
    assert "deadline" not in answer.json(), "nothing is left to wait for"
    assert ("return" in answer.json()["detail"]) == (state == "settled")
