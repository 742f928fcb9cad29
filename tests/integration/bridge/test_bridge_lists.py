"""Lists: however long one is, it is quoted, reserved and co-signed with the same number of SQL statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.client import Cosignature, CosignRequest
from serving.database import Place
from tests.databases import place
from tests.statements import statements

WRITTEN = ("quotes", "reservations", "reservation_events", "signed_payments", "decisions")
"""The bridge's tables that have a row a payment, and its compliance's."""


def about_payments(seen: Sequence[str]) -> list[str]:
    """The beginnings of what wrote rows of payments, or looked for those of a list."""
    written = tuple(f"{how} {each} " for how in ("INSERT INTO", "UPDATE") for each in WRITTEN)
    return [each[:50] for each in seen if each.startswith(written) or " IN (" in each]


def test_a_list_is_quoted_reserved_and_cosigned_with_as_many_statements_as_one_payment(stage: Any) -> None:
    counted = []
    for lane, length in enumerate((1, 40)):
        with statements(*_places(stage)) as promised:
            quotes = stage.calls("wallet").quote([stage.ask(1_000 + number) for number in range(length)])
            payments = [stage.payment(each) for each in quotes]
            assert stage.reserve(*payments).refused == ()
        request = stage.batch_of(payments, lane=lane)
        cosignature, signed = _cosigned(stage, request)
        counted.append(about_payments([*promised, *signed]))
        stage.settle(request, cosignature.endorsement)
    one, many = counted
    assert one == many
    assert {each.split("(")[0].strip() for each in one} >= {f"INSERT INTO {each}" for each in WRITTEN}


def _cosigned(stage: Any, request: CosignRequest) -> tuple[Cosignature, list[str]]:
    """The co-signature, and what it took the time that it was given: compliance may be a block behind at first."""

    def ask() -> tuple[Cosignature, list[str]] | None:
        with statements(*_places(stage)) as seen:
            [answer] = stage.calls("wallet").cosign([request])
        return (answer, seen) if isinstance(answer, Cosignature) else None

    found: tuple[Cosignature, list[str]] = stage.until(ask, "the provider has co-signed")
    return found


def _places(stage: Any) -> list[Place]:
    return [place(stage.folder / f"{each}.db") for each in ("bridge", "compliance")]
