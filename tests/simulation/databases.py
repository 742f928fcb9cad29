"""The services' SQLite files, and the points at which a process can die while it writes them.

The product's own door writes (`serving.database`): one transaction for whatever queued, then the number beside the
file, then the answers. Its store is the product's too, but for two things: it stops at each persistence point, where
others may run and the process may die; and its engines outlive processes, since statements are compiled for an engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Connection, Engine

from serving import database as door
from serving.sqlite import SqliteStore
from tests.simulation.machine import scheduler
from tests.simulation.scheduler import Killed

SIDE = ".generation"


class Point(StrEnum):
    """A persistence point of a commit."""

    BEFORE = "before the commit"
    COMMITTED = "after the commit, before it is acknowledged"
    ACKNOWLEDGED = "after the commit is acknowledged, before anybody hears"


@dataclass
class Disk:
    """One service's file. `hooks` are called when a commit is durable; `strike` decides who dies at a point.

    Transactions are counted as they begin; `durable` is the newest that is committed, `ends` what it was each time that
    the file was opened.
    """

    path: Path
    strike: Callable[[Point], bool] = lambda point: False
    hook: Callable[[], None] = lambda: None
    commits: int = 0
    begun: int = 0
    durable: int = 0
    ends: list[int] = field(default_factory=list)
    _reading: Engine | None = None
    _writing: Engine | None = None
    _look: Any = None
    stores: list[_Store] = field(default_factory=list)

    @property
    def side(self) -> Path:
        return self.path.with_name(self.path.name + SIDE)

    def engines(self, store: SqliteStore) -> tuple[Engine, Engine]:
        if self._reading is None or self._writing is None:
            self._reading, self._writing = SqliteStore.reading(store), SqliteStore.writing(store)
        return self._reading, self._writing

    def look(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the last committed state, past the door."""
        if self._look is None:
            self._look = pysqlite3.connect(str(self.path), isolation_level=None)
        rows: list[tuple[Any, ...]] = self._look.execute(statement, values).fetchall()
        return rows

    def let_go(self) -> None:
        """A process has died: its connections and its lock end with it."""
        for store in self.stores:
            SqliteStore.release(store)
        self.stores.clear()
        for engine in (self._reading, self._writing):
            if engine is not None:
                engine.dispose()

    def content(self) -> bytes:
        """The whole database as one file, as a backup has it."""
        source = pysqlite3.connect(str(self.path))
        copy = self.path.with_suffix(".copy")
        copy.unlink(missing_ok=True)
        source.execute("VACUUM INTO ?", (str(copy),))
        source.close()
        content = copy.read_bytes()
        copy.unlink()
        return content

    def blind(self) -> None:
        """Look no more through the open connection."""
        if self._look is not None:
            self._look.close()
            self._look = None

    def put(self, content: bytes, side: bytes | None = None) -> None:
        """Another file in its place, while nobody has it open; the number beside it only where one is given."""
        self.let_go()
        self.blind()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.write_bytes(content)
        if side is not None:
            self.side.write_bytes(side)


def close_all() -> None:
    """Let no connection be open: a copy of this process must not share it."""
    for each in _disks.values():
        each.let_go()
        each.blind()


_disks: dict[Path, Disk] = {}


def disk(path: Path) -> Disk:
    """The disk of a path, the same for the whole Python process."""
    return _disks.setdefault(path, Disk(path))


class _Store(SqliteStore):
    """The product's store, stopping at persistence points."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._disk = disk(path)
        self._disk.stores.append(self)
        self._disk.ends.append(self._disk.durable)

    def reading(self) -> Engine:
        return self._disk.engines(self)[0]

    def writing(self) -> Engine:
        return self._disk.engines(self)[1]

    def queue(self, connection: Connection, alone: bool) -> None:
        self._disk.begun += 1
        super().queue(connection, alone)

    def count(self, connection: Connection) -> int:
        generation = super().count(connection)
        self._pass(Point.BEFORE)
        return generation

    def acknowledge(self, generation: int, distrusted: bool) -> None:
        self._disk.durable = self._disk.begun
        self._pass(Point.COMMITTED)
        super().acknowledge(generation, distrusted)
        self._disk.commits += 1
        self._disk.hook()
        self._pass(Point.ACKNOWLEDGED)

    def _pass(self, point: Point) -> None:
        run = scheduler()
        run.require_alive()
        if self._disk.strike(point):
            run.kill(run.process)
            raise Killed
        if point is Point.BEFORE:
            run.pause()


def install() -> None:
    """Put this store behind the product's door."""
    door.SqliteStore = _Store  # type: ignore[misc]
