"""What the writers of one PostgreSQL database acknowledged, one file each, outside the database."""

from __future__ import annotations

import glob
import os
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from serving.side_file import DatabaseInUse, SideFile

_LAYOUT = struct.Struct(">16sQ?")


class Acknowledged(NamedTuple):
    """A writer's name, the generation that it acknowledged last, and whether it found the database behind it."""

    writer: UUID
    generation: int
    distrusted: bool


class Sides:
    """The files `<database>.generation-<number>` of a folder. A writer that starts takes the first that is free."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder, self._database = folder, database
        self._own: SideFile | None = None
        self.writer = uuid4()

    def read(self) -> list[Acknowledged | None]:
        """What each file says, None for one that says nothing whole."""
        return [_acknowledged(path.read_bytes()) for path in self._paths()]

    def take(self, distrusted: bool) -> None:
        """Become one of the writers: go on with the file of one that has ended, or begin a new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in count():
            path = self._folder / f"{self._database}.generation-{number}"
            if not path.exists():
                self._begin(path, distrusted)
            if (free := self._free(path)) is not None:
                self._own = free
                found = _acknowledged(path.read_bytes())
                assert found is not None, "files that say nothing were dropped"
                self.writer = found.writer
                return

    def write(self, generation: int, distrusted: bool) -> None:
        assert self._own is not None
        self._own.write(self.writer.bytes, generation, distrusted)

    def drop_others(self) -> None:
        """Forget what writers that have ended acknowledged."""
        for path in self._paths():
            if (free := self._free(path)) is not None:
                path.unlink()
                free.close()

    def release(self) -> None:
        if self._own is not None:
            self._own.close()

    def _paths(self) -> Iterator[Path]:
        yield from sorted(self._folder.glob(f"{glob.escape(self._database)}.generation-*"))

    def _begin(self, path: Path, distrusted: bool) -> None:
        """A file is there whole or not at all: one that says nothing would mean that nobody knows."""
        fresh = self._folder / f".{uuid4().hex}"
        fresh.write_bytes(_LAYOUT.pack(uuid4().bytes, 0, distrusted))
        fresh.chmod(0o600)
        os.rename(fresh, path)

    def _free(self, path: Path) -> SideFile | None:
        try:
            return SideFile(path, _LAYOUT, self._database)
        except DatabaseInUse:
            return None


def _acknowledged(content: bytes) -> Acknowledged | None:
    if len(content) != _LAYOUT.size:
        return None
    name, generation, distrusted = _LAYOUT.unpack(content)
    return Acknowledged(UUID(bytes=name), generation, distrusted)
