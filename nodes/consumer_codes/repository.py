"""SQL of consumer-presented codes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from nodes.consumer_codes.tables import consumer_codes


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(consumer_codes).values(values))


def find(connection: Connection, token_hash: bytes) -> Row[Any] | None:
    c = consumer_codes.c
    return connection.execute(select(consumer_codes).where(c.token_hash == token_hash)).one_or_none()


def use(connection: Connection, token_hash: bytes, charge_id: str, answer: str) -> None:
    c = consumer_codes.c
    unused = (c.token_hash == token_hash) & c.charge_id.is_(None)
    used = connection.execute(update(consumer_codes).where(unused).values(charge_id=charge_id, answer=answer))
    assert used.rowcount == 1, "a code is used once"
