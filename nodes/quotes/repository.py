"""SQL of quotes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from nodes.quotes.tables import quotes


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(quotes).values(values))


def find(connection: Connection, quote: str) -> Row[Any] | None:
    return connection.execute(select(quotes).where(quotes.c.id == quote)).one_or_none()


def use(connection: Connection, quote: str, uetr: str) -> bool:
    """Give an unused quote to a payment; False when another payment has it."""
    unused = (quotes.c.id == quote) & quotes.c.used_by.is_(None)
    return connection.execute(update(quotes).where(unused).values(used_by=uetr)).rowcount == 1
