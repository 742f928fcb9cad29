"""`POST /v1/payments/bulk`: many payments in one request, each with its own key and answer, the same for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contracts.chain.clock import ChainClock
from contracts.terms.payment import Event
from tests.node_door import NOW, Door, opened

ASKERS, YEAR = 32, 365 * 24 * 3600


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db") as made:
        yield made


def item(key: str, quote: str, **more: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "quote_id": quote, **more}


def kinds(answers: Any) -> list[str]:
    """What each entry says: "accepted", or the kind of its problem."""
    assert answers.status_code == 200, answers.text
    entries = answers.json()["answers"]
    assert all(("accepted" in each) != ("problem" in each) for each in entries)
    return ["accepted" if "accepted" in each else each["problem"]["type"].rsplit(":", 1)[-1] for each in entries]


def test_each_item_has_its_own_answer_and_refuses_no_other(door: Door) -> None:
    good, dear, old = door.quote(), door.quote(source=10**10), door.quote(expires=NOW - 1)
    others = door.quote("anan")
    asked = [
        item("1", good),
        item("2", dear),
        item("3", old),
        item("4", others),
        item("5", "none"),
        item("6", good),
        item("two words", door.quote()),
        item("7", door.quote("malee-travel"), tolerance_basis_points=0),
    ]
    answers = door.pay_all(asked)
    assert kinds(answers) == [
        *("accepted", "insufficient-funds", "quote-expired", "not-found", "not-found", "quote-already-used"),
        *("malformed", "accepted"),
    ]
    assert [each["idempotency_key"] for each in answers.json()["answers"]] == [
        each["idempotency_key"] for each in asked
    ]
    assert (door.earmarked(), door.earmarked("malee-travel"), door.earmarked("anan")) == (1_005, 1_005, 0)
    problem = answers.json()["answers"][1]["problem"]
    alone = door.pay(dear, "2")
    assert (alone.status_code, alone.json()) == (problem["status"], problem)
    assert door.pay_all(asked).json() == answers.json(), "the same for ever"


def test_a_key_that_is_repeated_in_one_request_is_as_if_sent_again(door: Door) -> None:
    first, second = door.quote(), door.quote()
    answers = door.pay_all(
        [item("a", first), item("a", first), item("a", second), item("a", first, tolerance_basis_points=0)]
    )
    assert kinds(answers) == ["accepted", "accepted", "idempotency-key-reused", "idempotency-key-reused"]
    assert answers.json()["answers"][0] == answers.json()["answers"][1]
    assert door.earmarked() == 1_005
    assert door.pay(second, "b").status_code == 202, "what was refused for its key used no quote"


def test_a_key_is_one_key_whether_sent_alone_or_with_others(door: Door) -> None:
    quote = door.quote()
    alone = door.pay(quote, "same").json()
    [entry] = door.pay_all([item("same", quote)]).json()["answers"]
    assert entry == {"idempotency_key": "same", "accepted": alone}
    assert kinds(door.pay_all([item("same", door.quote())])) == ["idempotency-key-reused"]
    assert kinds(door.pay_all([item("same", door.quote("anan"))], who="anan")) == ["accepted"], (
        "keys are a caller's own"
    )


def test_that_the_chain_stands_still_is_no_answer(door: Door) -> None:
    now = [0.0]
    still = ChainClock(lambda: now[0])
    still.observe(NOW)
    object.__setattr__(door.node, "clock", still)
    known, quote = door.quote(), door.quote()
    assert kinds(door.pay_all([item("known", known)])) == ["accepted"]
    now[0] = 21.0
    answers = door.pay_all([item("known", known), item("new", quote)])
    assert kinds(answers) == ["accepted", "chain-unavailable"]
    assert answers.json()["answers"][1]["problem"]["status"] == 503
    still.observe(NOW + 21)
    assert kinds(door.pay_all([item("new", quote)])) == ["accepted"]


@pytest.mark.sqlite
def test_one_transaction_for_a_thousand(door: Door) -> None:
    items = [item(f"key-{quote}", quote) for quote in door.quotes(1_000, source=1)]
    before = generation(door)
    assert kinds(door.pay_all(items)) == ["accepted"] * 1_000
    assert generation(door) == before + 1
    assert door.earmarked() == 6_000
    refused = door.pay_all([*items, item("more", door.quote())])
    assert (refused.status_code, refused.json()["reason"]) == (400, "FF01")


def generation(door: Door) -> int:
    """How many transactions the database has seen."""
    with door.database.read() as connection:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


@pytest.mark.parametrize("bulk", [False, True])
def test_promise_3_of_concurrent_identical_requests_one_pays_and_all_hear_it(door: Door, bulk: bool) -> None:
    quotes = [door.quote() for _ in range(3 if bulk else 1)]

    def ask(_: int) -> tuple[int, str]:
        if bulk:
            answer = door.pay_all([item(f"once-{quote}", quote) for quote in quotes])
        else:
            answer = door.pay(quotes[0], "once")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(ASKERS) as askers:
        [(status, text)] = set(askers.map(ask, range(ASKERS)))
    assert status == (200 if bulk else 202), text
    assert door.earmarked() == 1_005 * len(quotes)
    with door.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM payments").scalar_one() == len(quotes)
    reused = door.pay(door.quote(), f"once-{quotes[0]}" if bulk else "once")
    assert (reused.status_code, reused.json()["type"]) == (422, "urn:feiqian:problem:idempotency-key-reused")


def test_promise_3_the_answers_outlive_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db") as door:
        asked = [item("good", door.quote()), item("dear", door.quote(source=10**10)), item("none", "nothing")]
        alone = door.quote()
        first, single = door.pay_all(asked), door.pay(alone, "alone")
    with opened(tmp_path / "node.db") as again:
        assert again.pay_all(asked).json() == first.json()
        assert again.pay(alone, "alone").json() == single.json()
        assert kinds(again.pay_all([item("good", again.quote(name="other"))])) == ["idempotency-key-reused"]
        assert again.earmarked() == 2 * 1_005


def test_promise_3_a_year_later_the_answer_is_still_the_same(tmp_path: Path) -> None:
    """The price has expired, the payment has ended, the node was started again, and the chain is a year further."""
    with opened(tmp_path / "node.db") as door:
        quote = door.quote()
        first = door.pay(quote, "once")
        door.move(first.json()["uetr"], Event.EXPIRE)
    with opened(tmp_path / "node.db") as later:
        later.node.clock.observe(NOW + YEAR)
        with ThreadPoolExecutor(ASKERS) as askers:
            answers = list(askers.map(lambda _: later.pay(quote, "once"), range(ASKERS)))
        assert {(each.status_code, each.text) for each in answers} == {(first.status_code, first.text)}
        other = later.pay("another", "once")
        assert (other.status_code, other.json()["type"]) == (422, "urn:feiqian:problem:idempotency-key-reused")
        assert later.pay(quote, "another-key").json()["type"] == "urn:feiqian:problem:quote-expired"
        with later.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM payments").scalar_one() == 1


@pytest.mark.parametrize(
    "items",
    [
        [],
        ["text"],
        [{}],
        [{"quote_id": "q"}],
        [{"idempotency_key": "k"}],
        [{"idempotency_key": 1, "quote_id": "q"}],
        [{"idempotency_key": "k", "quote_id": ""}],
        [{"idempotency_key": "k", "quote_id": "q", "tolerance_basis_points": 1_001}],
        [{"idempotency_key": "k", "quote_id": "q", "amount": "1"}],
    ],
)
def test_an_item_that_cannot_be_read_refuses_the_whole_request(door: Door, items: list[Any]) -> None:
    good = [item("good", door.quote())] if items else []
    answer = door.pay_all([*good, *items])
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith("payments")
    assert json.dumps(items) not in answer.text
    assert door.earmarked() == 0
