"""apsw as the DBAPI (PEP 249) driver that SQLAlchemy's SQLite dialect asks for, over a virtual file system.

The driver that the services use lets nobody stand between SQLite and the disk; apsw does. All above it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw


class Error(Exception):
    """PEP 249."""


class DatabaseError(Error):
    """PEP 249."""


class OperationalError(DatabaseError):
    """PEP 249."""


class IntegrityError(DatabaseError):
    """PEP 249."""


class Driver:
    """What SQLAlchemy takes for a driver module. Every connection goes through the file system named `vfs`."""

    paramstyle, apilevel, threadsafety = "qmark", "2.0", 1
    sqlite_version = apsw.sqlite_lib_version()
    sqlite_version_info = tuple(map(int, sqlite_version.split(".")))
    Error, DatabaseError, OperationalError, IntegrityError = Error, DatabaseError, OperationalError, IntegrityError
    InterfaceError = InternalError = ProgrammingError = DataError = NotSupportedError = DatabaseError
    Binary = staticmethod(bytes)

    def __init__(self, vfs: str, said: Callable[[str], str] = str) -> None:
        self._vfs, self._said = vfs, said

    def connect(self, path: str, **_: object) -> Connection:
        with _translated():
            return Connection(apsw.Connection(path, vfs=self._vfs), self._said)


class Connection:
    """One connection. `said` may change what SQLite is told."""

    def __init__(self, raw: apsw.Connection, said: Callable[[str], str]) -> None:
        self.raw, self.said = raw, said
        self.isolation_level: str | None = None

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, statement: str) -> Cursor:
        cursor = self.cursor()
        cursor.execute(statement)
        return cursor

    def commit(self) -> None:
        if self.raw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self.raw.close()

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], **options: bool) -> None:
        self.raw.create_scalar_function(name, function, arguments, **options)


class Cursor:
    """Results are read whole at once."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Iterator[Any] = iter(())
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount, self.lastrowid = -1, 0

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        raw = self._connection.raw
        before = raw.total_changes()
        with _translated():
            cursor = raw.cursor()
            # What the columns are is told before the first row alone: a result may have none.
            cursor.exec_trace = self._describe
            self._rows = iter(cursor.execute(self._connection.said(statement), tuple(values)).fetchall())
        self.rowcount, self.lastrowid = raw.total_changes() - before, raw.last_insert_rowid()

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        changed = 0
        for row in rows:
            self.execute(statement, row)
            changed += self.rowcount
        self.rowcount = changed

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return [row for row, _ in zip(self._rows, range(size), strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())

    def _describe(self, cursor: apsw.Cursor, _statement: str, _values: object) -> bool:
        self.description = [(column[0], *(None,) * 6) for column in cursor.get_description()] or None
        return True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as failure:
        raise IntegrityError(str(failure)) from failure
    except apsw.Error as failure:
        raise OperationalError(str(failure)) from failure
