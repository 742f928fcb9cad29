"""SQL of quotes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from nodes.quotes.tables import quotes
from serving.rows import insert_all


def add_all(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    insert_all(connection, quotes, rows)


def find_all(connection: Connection, ids: Collection[str]) -> Sequence[Row[Any]]:
    return connection.execute(select(quotes).where(quotes.c.id.in_(list(ids)))).all()


def use_all(connection: Connection, uses: Mapping[str, str]) -> bool:
    """Give unused quotes to payments: UETRs by quote. False when another payment has one of them."""
    if not uses:
        return True
    unused = (quotes.c.id == bindparam("quote_id")) & quotes.c.used_by.is_(None)
    rows = [{"quote_id": quote, "uetr": uetr} for quote, uetr in uses.items()]
    return connection.execute(update(quotes).where(unused).values(used_by=bindparam("uetr")), rows).rowcount == len(
        rows
    )
