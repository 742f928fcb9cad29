"""The database door: many readers, one writer whose commits are shared.

SQLite in WAL mode with `synchronous=FULL`: a commit that was answered survives a power cut. All writing goes through
one thread, which runs whatever queued while the last fsync ran inside one transaction, each piece of work in a
savepoint of its own, and commits once for all of them (group commit).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pysqlite3
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from contracts.terms.errors import Unavailable

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

MINIMUM_SQLITE = (3, 51, 3)
"""Older releases can lose committed pages when a WAL is reset (SQLite release notes, 3.51.3)."""

_MAX_GROUP = 256


class Database:
    """One SQLite file with its writer thread. `write` is durable when it returns."""

    def __init__(self, path: Path) -> None:
        if pysqlite3.sqlite_version_info < MINIMUM_SQLITE:
            raise RuntimeError(f"SQLite {pysqlite3.sqlite_version} is too old; {MINIMUM_SQLITE} or newer is needed")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._writing = _engine(path, NullPool, "BEGIN IMMEDIATE")
        self._reading = _engine(path, QueuePool, "BEGIN", "query_only=ON", pool_size=8, max_overflow=32)
        self._writing.connect().close()  # a file that does not open is said here, not by a writer that never answers
        self._open, self._door = True, threading.Lock()
        self._queue: queue.Queue[tuple[Work[Any], Future[Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=f"writer-{path.stem}", daemon=True)
        self._thread.start()

    def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction; return its result once it is committed and fsynced.

        An exception undoes this piece of work alone and is raised here.
        """
        return self.submit(work).result()

    def submit(self, work: Work[Result]) -> Future[Result]:
        """Queue `work`; the future resolves after the commit. Raises Unavailable once the database is closed."""
        assert threading.current_thread() is not self._thread, "work that waits for other work waits for ever"
        future: Future[Result] = Future()
        with self._door:
            if not self._open:
                raise Unavailable("this service is stopping")
            self._queue.put((work, future))
        return future

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the last committed state and writes nothing."""
        with self._reading.begin() as connection:
            yield connection

    def migrate(self, upgrade: Callable[[Connection], None]) -> None:
        """Run schema migrations before anything else writes."""
        with self._writing.connect() as connection:
            upgrade(connection)
            connection.commit()

    def close(self) -> None:
        """Finish what is queued and stop the writer."""
        with self._door:
            self._open = False
            self._queue.put(None)
        self._thread.join()
        self._writing.dispose()
        self._reading.dispose()

    def _run(self) -> None:
        with self._writing.connect() as connection:
            while (first := self._queue.get()) is not None:
                group, stop = self._gather(first)
                # Whoever stopped waiting before the work began is not served; from then on the outcome stands.
                self._commit(connection, [each for each in group if each[1].set_running_or_notify_cancel()])
                if stop:
                    return

    def _gather(self, first: tuple[Work[Any], Future[Any]]) -> tuple[list[tuple[Work[Any], Future[Any]]], bool]:
        group = [first]
        while len(group) < _MAX_GROUP:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _commit(self, connection: Connection, group: list[tuple[Work[Any], Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with connection.begin():
                for work, future in group:
                    outcomes.append((future, *_attempt(connection, work)))
        except BaseException as failure:  # the commit itself failed: nobody may hear "done"
            connection.invalidate()  # SQLite may keep the transaction open; the next group starts on a new connection
            for _, future in group:
                future.set_exception(failure)
            return
        for future, result, refusal in outcomes:
            if refusal is None:
                future.set_result(result)
            else:
                future.set_exception(refusal)


def _attempt(connection: Connection, work: Work[Any]) -> tuple[Any, BaseException | None]:
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
    except Exception as refusal:
        savepoint.rollback()
        return None, refusal
    savepoint.commit()
    return result, None


def _engine(path: Path, pool: Any, begin: str, *pragmas: str, **pool_arguments: int) -> Engine:
    engine = create_engine(f"sqlite+pysqlite:///{path}", module=pysqlite3, poolclass=pool, **pool_arguments)

    @event.listens_for(engine, "connect")
    def _configure(raw: Any, _: object) -> None:
        raw.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", *pragmas):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
