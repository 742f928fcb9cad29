"""The database door: many readers, one writer a process whose commits are shared.

All writing of a process goes through one thread, which runs whatever queued while the last fsync ran inside one
transaction, each of several pieces of work in a savepoint of its own, and commits once for all (group commit). A
transaction may be run again from the start: work does nothing but SQL on the connection that it is given.

Each commit also raises the database's generation, a number inside it that a small file outside it repeats before
anybody hears "done". A database that is behind its file is older than what was acknowledged: it was restored from a
backup. (A kill between the commit and the file, or a power cut, leaves the file behind: nothing was lost.)

SQLite is for one process alone, PostgreSQL also for several of one service (`serving.sqlite`, `serving.postgresql`).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, RootTransaction
from sqlalchemy.exc import DBAPIError

from contracts.terms.errors import Unavailable
from serving.side_file import DatabaseInUse
from serving.sqlite import SqliteStore
from serving.store import Store

__all__ = ["Database", "DatabaseInUse", "DatabaseReader", "Place"]

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
Place = Path | URL
"""A SQLite file, or a PostgreSQL database as a URL with its password."""
_Piece = tuple[Work[Any], "Future[Any]"]
_Outcome = tuple["Future[Any]", Any, BaseException | None]
_Passenger = tuple[Work[None], "Future[None]"]

_MAX_GROUP = 256
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each new run of a transaction."""


def _store(place: Place, state: Path) -> Store:
    if not isinstance(place, URL):
        return SqliteStore(place)
    from serving.postgresql import PostgresqlStore  # its driver takes a while to load

    return PostgresqlStore(place, state)


class DatabaseReader:
    """One database to look into, also while a service writes it."""

    def __init__(self, place: Place, state: Path = Path()) -> None:
        self._store = _store(place, state)
        self._reading = self._store.reading()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the last committed state and writes nothing. Raises Unavailable."""
        try:
            with self._reading.begin() as connection:
                yield connection
        except DBAPIError as failure:
            if (told := self._store.told(failure)) is failure:
                raise
            raise told from failure

    def close(self) -> None:
        self._reading.dispose()


class Database(DatabaseReader):
    """One database with its writer thread. `write` is durable when it returns.

    `state` is the folder in which a process of a service on PostgreSQL keeps what it acknowledged. Raises DatabaseInUse
    when another process has a SQLite file already, Unavailable when a server does not answer or is not durable.
    """

    def __init__(self, place: Place, state: Path = Path()) -> None:
        super().__init__(place, state)
        self._restored = self._store.take()
        self._writing = self._store.writing()
        self._open, self._door = True, threading.Lock()
        self._queue: queue.Queue[_Piece | None] = queue.Queue()
        self._passengers: list[_Passenger] = []
        self._thread = threading.Thread(target=self._run, name=f"writer-{self._store.name}", daemon=True)
        self._thread.start()

    @property
    def writer(self) -> str | None:
        """Tells this process from others that write the database, outliving restarts; None if there are none."""
        return self._store.writer

    @property
    def restored(self) -> bool:
        """Whether this database was found older than what was acknowledged, and nobody has trusted it since.

        A restart does not forget it.
        """
        return self._restored

    def trust(self) -> None:
        """What the lost part of the database could have done is over: it is whole again."""

        def clear(_: Connection) -> None:
            self._restored = False

        self.write(clear)
        self._store.trusted()

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

    def piggyback(self, work: Work[None]) -> Future[None]:
        """Have `work`, which is never refused, done in the next transaction, whosever that is.

        It costs none of its own where one follows anyway; `require_durable` begins one where none has.
        """
        future: Future[None] = Future()
        with self._door:
            self._passengers.append((work, future))
        return future

    def require_durable(self, future: Future[None]) -> None:
        """Return once what `piggyback` gave is done and committed. Raises what keeps it from being so."""
        if not future.done():
            self.write(_nothing)

    def migrate(self, upgrade: Callable[[Connection], None]) -> None:
        """Run schema migrations before anything else writes. Processes that start at once do it one by one."""
        with self._store.opening(), self._writing.connect() as connection:
            upgrade(connection)
            generation = self._store.count(connection)
            connection.commit()
        self._store.acknowledge(generation, self._restored)

    def close(self) -> None:
        """Finish what is queued and stop the writer."""
        with self._door:
            self._open = False
            self._queue.put(None)
        self._thread.join()
        self._writing.dispose()
        super().close()
        self._store.release()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, stop = self._gather(first)
            # Whoever stopped waiting before the work began is not served; from then on the outcome stands.
            self._serve([each for each in group if each[1].set_running_or_notify_cancel()])
            if stop:
                return

    def _gather(self, first: _Piece) -> tuple[list[_Piece], bool]:
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

    def _serve(self, group: list[_Piece]) -> None:
        try:
            outcomes = self._transact(group)
        except BaseException as failure:  # nobody may hear "done"
            told = self._store.told(failure)
            for _, future in group:
                future.set_exception(told)
            return
        for future, result, refusal in outcomes:
            if refusal is None:
                future.set_result(result)
            else:
                future.set_exception(refusal)

    def _transact(self, group: list[_Piece]) -> list[_Outcome]:
        """One transaction for all of them, run again while that may help."""
        for attempt, pause in enumerate(_PAUSES):
            try:
                return self._try(group, attempt > 0)
            except Exception as failure:
                if attempt + 1 == len(_PAUSES) or not self._store.passes(failure, attempt > 0):
                    raise
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _try(self, group: list[_Piece], alone: bool) -> list[_Outcome]:
        with self._door:
            passengers = tuple(self._passengers)
        with self._writing.connect() as connection:
            try:
                transaction = connection.begin()
                self._store.queue(connection, alone)
                for work, _ in passengers:
                    work(connection)
                outcomes = [(future, *self._attempt(connection, work, alone, len(group))) for work, future in group]
                if all(refusal is not None for *_, refusal in outcomes):
                    transaction.rollback()
                    return outcomes
                generation = self._store.count(connection)
                self._commit(transaction, generation)
            except BaseException as failure:
                if not self._store.passes(failure, alone):
                    connection.invalidate()  # the database may keep the transaction open
                raise
        self._store.acknowledge(generation, self._restored)
        self._let_off(passengers)
        return outcomes

    def _let_off(self, passengers: tuple[_Passenger, ...]) -> None:
        with self._door:
            del self._passengers[: len(passengers)]
        for _, future in passengers:
            future.set_result(None)

    def _commit(self, transaction: RootTransaction, generation: int) -> None:
        try:
            transaction.commit()
        except Exception as failure:
            if not self._store.committed(failure, generation):
                raise

    def _attempt(
        self, connection: Connection, work: Work[Any], alone: bool, together: int
    ) -> tuple[Any, BaseException | None]:
        """Refused, a piece of work of several is undone here; the only one, with its transaction."""
        savepoint = connection.begin_nested() if together > 1 else None
        try:
            result = work(connection)
        except Exception as refusal:
            if self._store.passes(refusal, alone):
                raise
            if savepoint:
                savepoint.rollback()
            return None, refusal
        if savepoint:
            savepoint.commit()
        return result, None


def _nothing(_: Connection) -> None:
    """Work whose transaction is all that is wanted."""
