"""SQL of merchants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from nodes.merchants.tables import merchants


def find(connection: Connection, merchant: str) -> Row[Any] | None:
    return connection.execute(select(merchants).where(merchants.c.id == merchant)).one_or_none()


def find_by_lookup_key(connection: Connection, lookup_key: str) -> Row[Any] | None:
    return connection.execute(select(merchants).where(merchants.c.lookup_key == lookup_key)).one_or_none()


def find_all_by_lookup_key(connection: Connection, lookup_keys: Collection[str]) -> Sequence[Row[Any]]:
    return connection.execute(select(merchants).where(merchants.c.lookup_key.in_(list(lookup_keys)))).all()


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(merchants)).scalar_one()


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(merchants).values(values))
