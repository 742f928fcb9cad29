"""Lists of payments: one's own and nobody else's, the newest first, page by page, at a cost that does not grow."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from contracts.terms.money import currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event
from nodes.accounts import service as accounts
from nodes.merchants import repository as merchants
from serving.database import Database
from tests.node_door import Door, opened

OWN, SHOP = "/v1/payments", "/v1/merchants/dawn/payments"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db") as made:

        def register(connection: Connection) -> None:
            party = Party("Dawn Coffee", "organization", "TH", account="merchant:dawn")
            accounts.open_account(connection, party.account, "merchant", "dawn", currency("THB"), party)
            named = {"id": "dawn", "owner": "dawn", "name": party.name, "city": "Bangkok", "category": "5814"}
            merchants.add(connection, **named, account=party.account, lookup_key="PROMPTPAY:1")

        made.database.write(register)
        yield made


def pages(door: Door, path: str, who: str, limit: int, **filters: Any) -> list[list[str]]:
    """The UETRs of every page."""
    found, cursor = [], ""
    while cursor is not None:
        body = door.get(path, who, limit=limit, cursor=cursor, **filters).json()
        found.append([each["uetr"] for each in body["payments"]])
        cursor = body["next"]
    return found


def listed(door: Door, path: str, who: str, **filters: Any) -> list[str]:
    [page] = pages(door, path, who, 200, **filters)
    return page


def test_the_list_has_all_accounts_of_the_caller_and_what_came_back_but_nobody_elses(door: Door) -> None:
    first = door.paid("malee", 1_000)
    others = door.paid("anan", 7)
    second = door.paid("malee-travel", 2_000)
    back = door.receive("malee", 10**15, first)
    sent_back = door.receive("merchant:dawn", 10**15)
    assert listed(door, OWN, "malee") == [back, second, first]
    assert listed(door, OWN, "anan") == [others]
    assert listed(door, OWN, "dawn") == [], "what a merchant receives is in its own list"
    assert listed(door, SHOP, "dawn") == [sent_back]
    assert door.get(SHOP, "malee").status_code == 404
    incoming, _, outgoing = door.get(OWN).json()["payments"]
    assert (outgoing["direction"], outgoing["counterparty"], outgoing["account"]) == ("outgoing", "Tea House", "malee")
    assert (outgoing["currency"], outgoing["amount"]) == ("THB", "1005"), "with the fee"
    assert (outgoing["counter_currency"], outgoing["counter_amount"]) == ("CNY", "200")
    assert (incoming["direction"], incoming["original_uetr"]) == ("incoming", first)
    assert (incoming["currency"], incoming["amount"], incoming["counter_amount"]) == ("THB", "200", "40")
    assert {each["final"] for each in (incoming, outgoing)} == {False}
    assert door.get(f"{OWN}/{back}").json()["status"] == "accepted", "what the list shows can be looked at"
    for uetr, who in ((sent_back, "dawn"), (others, "malee"), (back, "anan"), (first, "anan")):
        assert door.get(f"{OWN}/{uetr}", who).status_code == 404
    assert door.http.post(f"{OWN}/{back}/cancellation", headers=door.token("malee")).status_code == 404


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_end_to_end_are_the_list_whatever_their_length_and_however_many_are_of_one_moment(
    door: Door, limit: int
) -> None:
    times = [5, 3, 3, 3, 9, 3, 1]
    all_of_them = [(at, door.receive(account, at)) for at in times for account in ("malee", "malee-travel")]
    found = pages(door, OWN, "malee", limit)
    assert [uetr for page in found for uetr in page] == [uetr for _, uetr in sorted(all_of_them, reverse=True)]
    assert {len(page) for page in found[:-1]} <= {limit}
    assert found[-1]


@pytest.mark.parametrize(("path", "who", "account"), [(OWN, "malee", "malee"), (SHOP, "dawn", "merchant:dawn")])
def test_payments_that_arrive_meanwhile_move_no_page(door: Door, path: str, who: str, account: str) -> None:
    known = [door.receive(account, at) for at in range(10)][::-1]
    first = door.get(path, who, limit=4).json()
    door.receive(account, 100)
    door.move(known[5], Event.CLEAR)
    second = door.get(path, who, limit=6, cursor=first["next"]).json()
    assert [each["uetr"] for each in first["payments"] + second["payments"]] == known
    assert second["next"] is None


@pytest.mark.parametrize(("path", "who", "account"), [(OWN, "malee", "malee"), (SHOP, "dawn", "merchant:dawn")])
def test_filters_by_state_and_time(door: Door, path: str, who: str, account: str) -> None:
    made = [door.receive(account, at) for at in range(6)]
    for uetr in made[::2]:
        door.move(uetr, Event.REFUSE)
    assert listed(door, path, who, status="refused") == [made[4], made[2], made[0]]
    assert listed(door, path, who, since=3) == [made[5], made[4], made[3]]
    assert listed(door, path, who, since=1, status="refused") == [made[4], made[2]]
    assert pages(door, path, who, 1, since=1, status="refused") == [[made[4]], [made[2]]]
    assert listed(door, path, who, status="settled") == []


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("path", [OWN, SHOP])
def test_a_cursor_that_is_none_is_refused(door: Door, path: str) -> None:
    for at in range(3):
        door.receive("malee", at)
        door.receive("merchant:dawn", at)
    who = "malee" if path == OWN else "dawn"
    cursor = door.get(path, who, limit=1).json()["next"]
    uetr = "00000000-0000-4000-8000-000000000000"
    wrong = ("x", "\u00e9", "a b", cursor + "=", cursor[:-1], f" {cursor}", "x" * 101, "MQ", cursor * 2)
    forged = ("", "1", f"-1 {uetr}", f"01 {uetr}", f"1_0 {uetr}", f"\u0661 {uetr}", f"{10**17} {uetr}", f"1 {uetr}\n")
    for each in (*wrong, *map(encoded, forged[1:])):
        answer = door.get(path, who, cursor=each)
        assert (answer.status_code, answer.json()["reason"]) == (400, "FF01"), each
        assert "cursor" in answer.json()["detail"]
    assert door.get(path, who, cursor=cursor, limit=1).status_code == 200


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of a database meanwhile."""
    seen: list[tuple[str, Any]] = []

    with database.read() as connection:
        asked = connection.engine

    def note(connection: Connection, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if connection.engine is asked:
            seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.sqlite
@pytest.mark.parametrize("filters", [{}, {"status": "refused"}, {"since": 2}, {"status": "refused", "since": 2}])
@pytest.mark.parametrize(("path", "who", "account"), [(OWN, "malee", "malee"), (SHOP, "dawn", "merchant:dawn")])
def test_a_page_is_read_from_an_index_and_sorts_nothing(
    door: Door, path: str, who: str, account: str, filters: dict[str, Any]
) -> None:
    for at in range(5):
        door.move(door.receive(account, at), *[Event.REFUSE][: at // 2])
    cursor = door.get(path, who, limit=1).json()["next"]
    with statements(door.database) as seen:
        assert door.get(path, who, cursor=cursor, **filters).status_code == 200
    asked = [(statement, parameters) for statement, parameters in seen if "FROM payments" in statement]
    assert asked
    with door.database.read() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}", given).all() for each, given in asked]
    for plan in plans:
        told = " ".join(row.detail for row in plan)
        assert "SCAN" not in told, told
        assert "TEMP B-TREE" not in told, told
        assert "SEARCH payments USING" in told
    places = [row.detail for plan in plans for row in plan if "payments_by_account" in row.detail]
    assert places
    assert all("COVERING INDEX" in each and "side=?" in each for each in places)
    assert all(("state=?" in each) == ("status" in filters) for each in places)
