"""Lists: however long one is, it is quoted, reserved and co-signed with the same number of SQL statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from bridge.client import Cosignature, CosignRequest

WRITTEN = ("quotes", "reservations", "reservation_events", "signed_payments", "decisions")
"""The bridge's tables that have a row a payment, and its compliance's."""


@contextmanager
def statements() -> Iterator[list[str]]:
    """What writes rows of payments, or looks for those of a list, in any service of this process meanwhile."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        text = " ".join(statement.split())
        if any(text.startswith((f"INSERT INTO {each} ", f"UPDATE {each} ")) for each in WRITTEN) or " IN (" in text:
            seen.append(text[:50])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_list_is_quoted_reserved_and_cosigned_with_as_many_statements_as_one_payment(stage: Any) -> None:
    counted = []
    for lane, length in enumerate((1, 40)):
        with statements() as promised:
            quotes = stage.calls("wallet").quote([stage.ask(1_000 + number) for number in range(length)])
            payments = [stage.payment(each) for each in quotes]
            assert stage.reserve(*payments).refused == ()
        request = stage.batch_of(payments, lane=lane)
        cosignature, signed = _cosigned(stage, request)
        counted.append([*promised, *signed])
        stage.settle(request, cosignature.endorsement)
    one, many = counted
    assert one == many
    assert {each.split("(")[0].strip() for each in one} >= {f"INSERT INTO {each}" for each in WRITTEN}


def _cosigned(stage: Any, request: CosignRequest) -> tuple[Cosignature, list[str]]:
    """The co-signature, and what it took the time that it was given: compliance may be a block behind at first."""

    def ask() -> tuple[Cosignature, list[str]] | None:
        with statements() as seen:
            [answer] = stage.calls("wallet").cosign([request])
        return (answer, seen) if isinstance(answer, Cosignature) else None

    found: tuple[Cosignature, list[str]] = stage.until(ask, "the provider has co-signed")
    return found
