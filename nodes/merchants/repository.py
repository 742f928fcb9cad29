"""SQL of merchants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from nodes.merchants.tables import merchant_keys, merchants


def find(connection: Connection, merchant: str) -> Row[Any] | None:
    return connection.execute(select(merchants).where(merchants.c.id == merchant)).one_or_none()


def find_all_by_lookup_key(connection: Connection, lookup_keys: Collection[str]) -> Sequence[Row[Any]]:
    """Rows of `lookup_key` and `account`, by the first key of a merchant or a further one."""
    keys = list(lookup_keys)
    first = select(merchants.c.lookup_key, merchants.c.account).where(merchants.c.lookup_key.in_(keys))
    further = select(merchant_keys.c.lookup_key, merchants.c.account).join(merchants)
    return connection.execute(first.union_all(further.where(merchant_keys.c.lookup_key.in_(keys)))).all()


def further_keys(connection: Connection, merchant: str) -> Sequence[str]:
    query = select(merchant_keys.c.lookup_key).where(merchant_keys.c.merchant == merchant)
    return connection.execute(query.order_by(merchant_keys.c.lookup_key)).scalars().all()


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(merchants)).scalar_one()


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(merchants).values(values))


def add_keys(connection: Connection, merchant: str, keys: Sequence[str]) -> None:
    if keys:
        connection.execute(insert(merchant_keys), [{"lookup_key": key, "merchant": merchant} for key in keys])
