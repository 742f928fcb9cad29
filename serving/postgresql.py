"""PostgreSQL: one database, any number of processes of one service that write it.

Every writing transaction is SERIALIZABLE, so what is exact with one writer is exact with several: a transaction whose
outcome depends on one that ran beside it fails and is run again. The second run is in the queue's exclusive place, so
that it has no neighbours: it cannot fail for the same reason.

What this door keeps for itself stands in the schema `door`: `writers` has a generation for each writer (of its own, so
that writers never wait for one another's number), `queue` is a table that is only ever locked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import OperationalError
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from contracts.terms.errors import Busy, Unavailable
from serving.postgresql_sides import Sides

MINIMUM_POSTGRESQL = 13
_OPENING = 0x666C7971
"""The advisory lock of whoever opens or migrates a database."""
_RUN_AGAIN = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, a lock that was waited for too long (PostgreSQL, appendix A)."""
_NEIGHBOURS = frozenset({"23505", "23503", "23P01"})
"""What a transaction beside this one can cause without being seen by it: unique, foreign key, exclusion."""
_GONE = frozenset({"25P03", "57P01", "57P02", "57P03", "53300"})
"""The server ended the connection or takes none."""
_CONNECT_SECONDS = 5
_ASK_AGAIN = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
"""Seconds to wait before each question whether a commit has happened."""
_WRITER = (
    "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s';"
    # A sequential scan would make every writer a neighbour of the whole table; its price would wake the compiler.
    "SET enable_seqscan = off; SET jit = off"
)
_DOOR = """
    CREATE SCHEMA IF NOT EXISTS door;
    CREATE TABLE IF NOT EXISTS door.queue (nothing integer);
    CREATE TABLE IF NOT EXISTS door.writers (writer uuid PRIMARY KEY, generation bigint NOT NULL);
"""
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'door')"


class PostgresqlStore:
    """One PostgreSQL database, as `Store` says. `folder` keeps what was acknowledged, outside the database."""

    def __init__(self, place: URL, folder: Path) -> None:
        assert place.database
        self.name, self._place = place.database, place
        self._sides = Sides(folder, place.database)
        # For what is no work: locks that outlive a transaction, and questions.
        self._plain = _engine(place, NullPool, "", isolation_level="AUTOCOMMIT")

    @property
    def writer(self) -> str:
        return str(self._sides.writer)

    def reading(self) -> Engine:
        options = {"isolation_level": "REPEATABLE READ", "execution_options": {"postgresql_readonly": True}}
        return _engine(self._place, QueuePool, "", pool_size=8, max_overflow=32, **options)

    def writing(self) -> Engine:
        return _engine(self._place, QueuePool, _WRITER, pool_size=1, max_overflow=0, isolation_level="SERIALIZABLE")

    def take(self) -> bool:
        try:
            with self._alone() as connection:
                _check(connection)
                connection.exec_driver_sql(_DOOR)
                return self._take(connection)
        except DBAPIError as failure:
            if _is_lost(failure):
                raise Unavailable(f"the database {self.name} does not answer: {_first_line(failure)}") from failure
            raise

    @contextmanager
    def opening(self) -> Iterator[None]:
        with self._alone():
            yield

    def queue(self, connection: Connection, alone: bool) -> None:
        # No query: it would fix the state that the transaction sees before its turn has come.
        mode = "SHARE ROW EXCLUSIVE" if alone else "ROW EXCLUSIVE"
        connection.exec_driver_sql(f"LOCK TABLE door.queue IN {mode} MODE")

    def count(self, connection: Connection) -> int:
        raised = "UPDATE door.writers SET generation = generation + 1 WHERE writer = :writer RETURNING generation"
        return int(connection.execute(text(raised), {"writer": self._sides.writer}).scalar_one())

    def acknowledge(self, generation: int, distrusted: bool) -> None:
        self._sides.write(generation, distrusted)

    def trusted(self) -> None:
        with self._alone():
            self._sides.drop_others()

    def passes(self, failure: BaseException, alone: bool) -> bool:
        if not isinstance(failure, DBAPIError):
            return False
        state = _state(failure)
        return state in _RUN_AGAIN or (state in _NEIGHBOURS and not alone) or _is_lost(failure)

    def committed(self, failure: BaseException, generation: int) -> bool:
        if not (isinstance(failure, DBAPIError) and _is_lost(failure)):
            return False
        for seconds in _ASK_AGAIN:
            time.sleep(seconds)
            try:
                return self._generation() == generation
            except DBAPIError as again:
                if not self.passes(again, alone=True):
                    raise
        raise Unavailable("the database does not answer; whether this was stored is not known yet") from failure

    def told(self, failure: BaseException) -> BaseException:
        if not isinstance(failure, DBAPIError):
            return failure
        if _is_lost(failure):
            return Unavailable("the database does not answer")
        return Busy("too many write at once") if _state(failure) in _RUN_AGAIN else failure

    def release(self) -> None:
        self._sides.release()

    def _take(self, connection: Connection) -> bool:
        acknowledged = self._sides.read()
        rows = {row.writer: row.generation for row in connection.execute(text("SELECT * FROM door.writers"))}
        used = bool(rows or connection.exec_driver_sql(_TABLES).scalar_one())
        behind = any(
            side is None or side.distrusted or side.generation > rows.get(side.writer, -1) for side in acknowledged
        )
        restored = behind if acknowledged else used
        if restored:
            self._sides.drop_others()
        self._sides.take(restored)
        added = "INSERT INTO door.writers VALUES (:writer, 0) ON CONFLICT DO NOTHING"
        connection.execute(text(added), {"writer": self._sides.writer})
        return restored

    def _generation(self) -> int:
        """This writer's generation, once no transaction of its own is under way any more."""
        asked = "SELECT generation FROM door.writers WHERE writer = :writer FOR UPDATE"
        with self._plain.connect() as connection:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            return int(connection.execute(text(asked), {"writer": self._sides.writer}).scalar_one())

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with self._plain.connect() as connection:  # closing it lets go of the lock
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _OPENING})
            yield connection


def _check(connection: Connection) -> None:
    """Raises Unavailable when an acknowledged commit could be lost, or a text not be stored."""

    def setting(name: str) -> str:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())

    major = int(setting("server_version_num")) // 10_000
    if major < MINIMUM_POSTGRESQL:
        raise Unavailable(f"PostgreSQL {major} is too old; {MINIMUM_POSTGRESQL} or newer is needed")
    for name, good in (
        ("fsync", ("on",)),
        ("synchronous_commit", ("on", "remote_apply")),
        ("server_encoding", ("UTF8",)),
    ):
        if setting(name) not in good:
            raise Unavailable(f"the database has {name} = {setting(name)}; {' or '.join(good)} is needed")


def _state(failure: DBAPIError) -> str | None:
    return getattr(failure.orig, "sqlstate", None)


def _is_lost(failure: DBAPIError) -> bool:
    """Whether there is no connection any more, or none was made."""
    state = _state(failure)
    unmade = state is None and isinstance(failure.orig, OperationalError)
    return failure.connection_invalidated or unmade or state in _GONE or (state or "").startswith("08")


def _first_line(failure: DBAPIError) -> str:
    return str(failure.orig).strip().splitlines()[0]


def _engine(place: URL, pool: Any, session: str, **arguments: Any) -> Engine:
    engine = create_engine(
        place.set(drivername="postgresql+psycopg"),
        poolclass=pool,
        hide_parameters=True,
        connect_args={"connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8"},
        **arguments,
    )

    @event.listens_for(engine, "connect")
    def _configure(raw: Any, _: object) -> None:
        if session:
            before, raw.autocommit = raw.autocommit, True
            raw.execute(session)
            raw.autocommit = before

    return engine
