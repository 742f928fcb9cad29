"""SQLite: one file, one process that writes it.

WAL mode with `synchronous=FULL`: a commit that was answered survives a power cut. The generation is kept in a number of
the file's header, the file beside it is locked: a second process is refused before it has changed anything.
"""

from __future__ import annotations

import struct
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from serving.side_file import SideFile

MINIMUM_SQLITE = (3, 51, 3)
"""Older releases can lose committed pages when a WAL is reset (SQLite release notes, 3.51.3)."""

_CACHE = "cache_size=-32768"
"""32 MiB for the one writer. Keys are random, so a list touches a page of its own in each index for each payment: with
SQLite's 2 MiB a large database read and wrote the same pages several times in one transaction."""

_SIDE = struct.Struct(">II")
_MODULUS = 2**32


class SqliteStore:
    """One SQLite file, as `Store` says."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.stem, path
        self._side: SideFile | None = None

    @property
    def writer(self) -> None:
        return None

    def reading(self) -> Engine:
        return _engine(self._path, "BEGIN", "query_only=ON", pool_size=8, max_overflow=32)

    def writing(self) -> Engine:
        if pysqlite3.sqlite_version_info < MINIMUM_SQLITE:
            raise RuntimeError(f"SQLite {pysqlite3.sqlite_version} is too old; {MINIMUM_SQLITE} or newer is needed")
        return _engine(self._path, "BEGIN IMMEDIATE", _CACHE, pool_size=1, max_overflow=0)

    def take(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._side = SideFile(self._path.with_name(self._path.name + ".generation"), _SIDE, str(self._path))
        try:
            return self._compare(self._side)
        except BaseException:
            self._side.close()
            raise

    def opening(self) -> AbstractContextManager[None]:
        return nullcontext()

    def queue(self, connection: Connection, alone: bool) -> None:
        """Nobody else writes."""

    def count(self, connection: Connection) -> int:
        generation = (_generation(connection) + 1) % _MODULUS
        signed = generation if generation < _MODULUS // 2 else generation - _MODULUS
        connection.exec_driver_sql(f"PRAGMA user_version = {signed}")
        return generation

    def acknowledge(self, generation: int, distrusted: bool) -> None:
        assert self._side is not None
        self._side.write(generation, distrusted)

    def trusted(self) -> None:
        """The next acknowledgement says it."""

    def passes(self, failure: BaseException, alone: bool) -> bool:
        return False

    def committed(self, failure: BaseException, generation: int) -> bool:
        return False

    def told(self, failure: BaseException) -> BaseException:
        return failure

    def release(self) -> None:
        if self._side is not None:
            self._side.close()

    def _compare(self, side: SideFile) -> bool:
        acknowledged = side.read()
        engine = self.writing()
        with engine.connect() as connection:  # a file that does not open is said here, by no silent writer
            restored = _is_restored(connection, acknowledged)
            if acknowledged is None or restored:
                side.write(_generation(connection), restored)
        engine.dispose()
        return restored


def _is_restored(connection: Connection, acknowledged: tuple[int, int] | None) -> bool:
    if acknowledged is None:
        # Only a database that is new itself may lack its file: otherwise nobody knows what was acknowledged.
        return bool(connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one())
    generation, distrusted = acknowledged
    ahead = (generation - _generation(connection)) % _MODULUS
    return distrusted != 0 or 0 < ahead < _MODULUS // 2


def _generation(connection: Connection) -> int:
    """The database's generation, kept in a number of its header that SQLite leaves to applications (signed there)."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) % _MODULUS


def _engine(path: Path, begin: str, *pragmas: str, **pool_arguments: int) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}", module=pysqlite3, poolclass=QueuePool, hide_parameters=True, **pool_arguments
    )

    @event.listens_for(engine, "connect")
    def _configure(raw: Any, _: object) -> None:
        raw.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", *pragmas):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
