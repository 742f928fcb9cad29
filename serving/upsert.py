"""INSERT ... ON CONFLICT, which each database spells for itself in SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> Any:
    """An insert with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _insert(connection.dialect.name, table)


def replace_all(connection: Connection, table: Table, value: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each with all columns of a table; where one with the same primary key stands, it gets the new
    `value`."""
    if rows:
        connection.execute(_replacing(connection.dialect.name, table, value), rows)


@cache
def _replacing(dialect: str, table: Table, value: str) -> Any:
    new = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    return new.on_conflict_do_update(index_elements=keys, set_={value: new.excluded[value]})


def _insert(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)
