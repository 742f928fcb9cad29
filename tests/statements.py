"""The SQL that reaches some databases meanwhile: other tests' services may run in the same process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from serving.database import Place


@contextmanager
def statements(*places: Place) -> Iterator[list[str]]:
    """Each statement, on one line, in the order in which they came."""
    seen: list[str] = []
    names = {getattr(each, "database", str(each)) for each in places}

    def note(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if connection.engine.url.database in names:
            seen.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
