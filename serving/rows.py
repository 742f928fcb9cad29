"""What is asked for often, or in many rows, for less than SQLAlchemy and SQLite take by themselves.

SQLAlchemy works out the parameters of each row that is inserted anew, which takes longer than the database needs to
store it: here a statement is compiled once, and rows go to the driver as they are. Their columns must be of types that
the drivers give and take (integers, text, `serving.columns.Octets`), with no default of Python's making.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Table, bindparam, insert, literal_column


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    if not rows:
        return
    text, order = _insert(connection.dialect, table, tuple(rows[0]))
    # A driver that takes parameters by place gets them in the statement's order, another by name.
    placed = rows if order is None else [_placed(order, row) for row in rows]
    connection.exec_driver_sql(text, placed)


@lru_cache(maxsize=256)
def at_most(rows: int, chosen: Select[Any]) -> Select[Any]:
    """The first rows of what a statement that is kept chooses, with their number in its text: SQLite prepares one whose
    limit is a parameter, as SQLAlchemy would have it, anew each time."""
    return chosen.limit(literal_column(str(rows)))


def _placed(order: tuple[str, ...], row: Mapping[str, Any]) -> tuple[Any, ...]:
    return itemgetter(*order)(row) if len(order) > 1 else (row[order[0]],)


@lru_cache(maxsize=256)
def _insert(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...] | None]:
    """The statement, and the order in which it takes the columns; None where it takes them by name."""
    compiled = insert(table).values({name: bindparam(name) for name in columns}).compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup) if compiled.positiontup is not None else None
