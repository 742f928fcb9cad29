"""A bulk request is its items sent one by one: the same answers and the same book, whatever the items are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.accounts.service import book_sums
from tests.node_door import NOW, Door, opened

BALANCE = 5_000
QUOTES = {
    "small": ("malee", 100, NOW + 60),
    "big": ("malee", 3_000, NOW + 60),
    "bigger": ("malee", 4_000, NOW + 60),
    "travel": ("malee-travel", 4_995, NOW + 60),
    "travel-too": ("malee-travel", 1, NOW + 60),
    "late": ("malee", 1, NOW - 1),
    "others": ("anan", 1, NOW + 60),
}
items = st.fixed_dictionaries(
    {
        "idempotency_key": st.sampled_from(["a", "b", "c", "d", "e", "f", "no key"]),
        "quote_id": st.sampled_from([*QUOTES, "nothing"]),
        "tolerance_basis_points": st.sampled_from([0, 100]),
    }
)


@settings(max_examples=20)
@given(requests=st.lists(st.lists(items, min_size=1, max_size=12), min_size=1, max_size=3))
def test_a_bulk_request_is_its_items_sent_one_by_one(requests: list[list[dict[str, Any]]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "bulk.db", BALANCE) as bulk,
        opened(Path(folder) / "single.db", BALANCE) as single,
    ):
        for door in (bulk, single):
            for name, (account, source, expires) in QUOTES.items():
                door.quote(account, source, name, expires)
        together = [entry for each in requests for entry in bulk.pay_all(each).json()["answers"]]
        apart = [alone(single, each) for request in requests for each in request]
        assert without_uetrs(together) == without_uetrs(apart)
        assert book(bulk) == book(single)


def alone(door: Door, asked: dict[str, Any]) -> dict[str, Any]:
    """The item's answer as a single request gives it."""
    key, tolerance = asked["idempotency_key"], asked["tolerance_basis_points"]
    answer = door.pay(asked["quote_id"], key, tolerance_basis_points=tolerance)
    assert answer.status_code == answer.json().get("status") or answer.status_code == 202
    return {"idempotency_key": key, "accepted" if answer.is_success else "problem": answer.json()}


def without_uetrs(answers: Sequence[dict[str, Any]]) -> list[Any]:
    """UETRs are random: each by the place of its first answer."""
    seen: dict[str, int] = {}
    told = []
    for entry in answers:
        accepted = entry.get("accepted")
        place = seen.setdefault(accepted["uetr"], len(seen)) if accepted else None
        told.append((entry["idempotency_key"], place, (accepted or {}).get("status"), entry.get("problem")))
    return told


def book(door: Door) -> list[Any]:
    """Everything that was recorded, without what is random and what a clock said."""
    queries = (
        "SELECT id, balance, earmarked FROM accounts ORDER BY id",
        "SELECT q.id, p.account, p.source_amount, p.fee, p.most, p.state FROM quotes q "
        "LEFT JOIN payments p ON p.uetr = q.used_by ORDER BY q.id",
        "SELECT p.account, p.source_amount, e.number, e.event, e.state FROM payment_events e "
        "JOIN payments p ON p.uetr = e.uetr ORDER BY p.account, p.source_amount, e.number",
        "SELECT caller, key, body_hmac FROM idempotency_keys ORDER BY caller, key",
    )
    with door.database.read() as connection:
        book_sums(connection)
        return [[tuple(row) for row in connection.exec_driver_sql(query)] for query in queries]
