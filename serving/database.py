"""The database door: many readers, one writer whose commits are shared.

SQLite in WAL mode with `synchronous=FULL`: a commit that was answered survives a power cut. All writing goes through
one thread, which runs whatever queued while the last fsync ran inside one transaction, each piece of work in a
savepoint of its own, and commits once for all of them (group commit).

Each commit also raises the database's generation, a number inside it that a small file beside it repeats before
anybody hears "done". A database that is behind its file is older than what was acknowledged: it was restored from a
backup. (A kill between the commit and the file, or a power cut, leaves the file behind: nothing was lost.)

The same small file is locked for as long as a process has the database: a second process is refused before it has
changed anything. The kernel lets go of the lock when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import queue
import struct
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
_SIDE = struct.Struct(">II")
_MODULUS = 2**32


class DatabaseInUse(Unavailable):
    """Another process has this database, or this process has it already."""

    title = "The database is in use"


class DatabaseReader:
    """One SQLite file to look into, also while a service writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = _engine(path, QueuePool, "BEGIN", "query_only=ON", pool_size=8, max_overflow=32)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the last committed state and writes nothing."""
        with self._reading.begin() as connection:
            yield connection

    def close(self) -> None:
        self._reading.dispose()


class Database(DatabaseReader):
    """One SQLite file with its writer thread, for one process alone. `write` is durable when it returns.

    Raises DatabaseInUse when a process has it already.
    """

    def __init__(self, path: Path) -> None:
        if pysqlite3.sqlite_version_info < MINIMUM_SQLITE:
            raise RuntimeError(f"SQLite {pysqlite3.sqlite_version} is too old; {MINIMUM_SQLITE} or newer is needed")
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path)
        self._writing = _engine(path, NullPool, "BEGIN IMMEDIATE")
        self._side = _SideFile(path)
        try:
            acknowledged = self._side.read()
            with self._writing.connect() as connection:  # a file that does not open is said here, by no silent writer
                self._restored = _is_restored(connection, acknowledged)
                if acknowledged is None or self._restored:
                    self._side.write(_generation(connection), self._restored)
        except BaseException:
            self._side.close()
            raise
        self._open, self._door = True, threading.Lock()
        self._queue: queue.Queue[tuple[Work[Any], Future[Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=f"writer-{path.stem}", daemon=True)
        self._thread.start()

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

    def migrate(self, upgrade: Callable[[Connection], None]) -> None:
        """Run schema migrations before anything else writes."""
        with self._writing.connect() as connection:
            upgrade(connection)
            generation = _raise_generation(connection)
            connection.commit()
        self._side.write(generation, self._restored)

    def close(self) -> None:
        """Finish what is queued and stop the writer."""
        with self._door:
            self._open = False
            self._queue.put(None)
        self._thread.join()
        self._writing.dispose()
        super().close()
        self._side.close()

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
                generation = _raise_generation(connection)
            self._side.write(generation, self._restored)
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


class _SideFile:
    """Beside the database: the generation last acknowledged, and whether the database was found behind it.

    Eight bytes in one write, which survives kill -9; nothing is fsynced, so a power cut may leave older ones.
    It is locked while it is open: raises DatabaseInUse when somebody has it open already.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".generation")
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            holder = _holder(os.fstat(self._file.fileno()).st_ino)
            self._file.close()
            raise DatabaseInUse(f"the database {database} is in use by {holder}") from failure

    def read(self) -> tuple[int, bool] | None:
        """(generation, whether the database is distrusted); None when nothing was written yet."""
        content = os.pread(self._file.fileno(), _SIDE.size, 0)
        if len(content) < _SIDE.size:
            return None
        generation, distrusted = _SIDE.unpack(content)
        return generation, distrusted != 0

    def write(self, generation: int, distrusted: bool) -> None:
        os.pwrite(self._file.fileno(), _SIDE.pack(generation, distrusted), 0)

    def close(self) -> None:
        self._file.close()


def _holder(inode: int) -> str:
    """Who has locked this file, as far as the kernel tells (Linux: proc_locks(5))."""
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        locks = []
    pids = [lock[4] for lock in locks if lock[1] == "FLOCK" and lock[5].endswith(f":{inode}")]
    return f"process {pids[0]}" if pids else "another process"


def _is_restored(connection: Connection, acknowledged: tuple[int, bool] | None) -> bool:
    if acknowledged is None:
        # Only a database that is new itself may lack its file: otherwise nobody knows what was acknowledged.
        return bool(connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one())
    generation, distrusted = acknowledged
    ahead = (generation - _generation(connection)) % _MODULUS
    return distrusted or 0 < ahead < _MODULUS // 2


def _generation(connection: Connection) -> int:
    """The database's generation, kept in a number of its header that SQLite leaves to applications (signed there)."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) % _MODULUS


def _raise_generation(connection: Connection) -> int:
    """Count this transaction; it takes the number back when it is undone."""
    generation = (_generation(connection) + 1) % _MODULUS
    signed = generation if generation < _MODULUS // 2 else generation - _MODULUS
    connection.exec_driver_sql(f"PRAGMA user_version = {signed}")
    return generation


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
