"""A disk that keeps no promise but one: what was synced is there.

`Disk` is a virtual file system (sqlite.org, vfs.html) that passes everything to the real one and writes down what was
done, in order. Afterwards the power is cut at any place in that journal: of what was not synced by then each write is
there, missing or torn, sector by sector, whatever came after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import apsw

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""
_KEPT, _TORN, _THERE = 2 / 3, 1 / 2, 1 / 2
"""How much of what was not synced is there: of the steps; of these how many torn; of a torn write's sectors."""


@dataclass(frozen=True)
class Written:
    file: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Truncated:
    file: str
    size: int


@dataclass(frozen=True)
class Synced:
    file: str


@dataclass(frozen=True)
class Deleted:
    """`synced`: the folder was, so that the file stays away."""

    file: str
    synced: bool


@dataclass(frozen=True)
class Told:
    """Somebody outside heard this."""

    what: object


Step = Written | Truncated | Synced | Deleted | Told


class Disk(apsw.VFS):
    """Files of one folder, by name; those that only coordinate processes (-shm) have no part in it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.steps: list[Step] = []

    def tell(self, what: object) -> None:
        """Note that somebody outside heard `what`."""
        self.steps.append(Told(what))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if name is None:  # a temporary file: nobody looks for it after a cut
            return apsw.VFSFile("", name, flags)
        return _File(self.steps, name, flags)

    def xDelete(self, path: str, synced: bool) -> None:
        super().xDelete(path, synced)
        self.steps.append(Deleted(os.path.basename(path), synced))


class _File(apsw.VFSFile):
    def __init__(self, steps: list[Step], name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._steps, self._name = steps, os.path.basename(path)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._steps.append(Written(self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._steps.append(Truncated(self._name, size))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._steps.append(Synced(self._name))


@dataclass
class Files:
    """What a disk surely has, by name, and what was done to it since each file was synced last."""

    safe: dict[str, bytearray]
    loose: dict[str, list[Step]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        if isinstance(step, Synced):
            self._sync(step.file)
        elif isinstance(step, Deleted) and step.synced:
            self.loose.pop(step.file, None)
            self.safe.pop(step.file, None)
        elif not isinstance(step, Told):
            self.loose.setdefault(step.file, []).append(step)

    def cut(self, chance: Random) -> dict[str, bytes]:
        """What is found when the power is back, by name."""
        found: dict[str, bytes] = {}
        for name in sorted(self.safe.keys() | self.loose.keys()):
            content = bytearray(self.safe[name]) if name in self.safe else None
            for step in self.loose.get(name, ()):
                kept = chance.random() < _KEPT
                if kept:
                    content = _done(content, step, chance)
                elif isinstance(step, Deleted):
                    break  # what came later was done to another file, which has no name
            if content is not None:
                found[name] = bytes(content)
        return found

    def _sync(self, name: str) -> None:
        content: bytearray | None = self.safe.get(name, bytearray())
        for step in self.loose.pop(name, ()):
            content = _done(content, step, None)
        if content is not None:
            self.safe[name] = content


def _done(content: bytearray | None, step: Step, chance: Random | None) -> bytearray | None:
    """A file after a step, None when it is gone. With a `chance` half of the writes are torn."""
    if isinstance(step, Deleted):
        return None
    after = bytearray() if content is None else content
    if isinstance(step, Written):
        torn = chance is not None and chance.random() < _TORN
        for offset, piece in _sectors(step) if torn else [(step.offset, step.content)]:
            if not torn or (chance is not None and chance.random() < _THERE):
                _put(after, offset, piece)
    elif isinstance(step, Truncated):
        del after[step.size :]
        after.extend(bytes(step.size - len(after)))
    return after


def _put(content: bytearray, offset: int, piece: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(piece)] = piece


def _sectors(step: Written) -> Iterator[tuple[int, bytes]]:
    """The pieces of a write that are in different sectors, each with its place in the file."""
    start, end = step.offset, step.offset + len(step.content)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield start, step.content[start - step.offset : stop - step.offset]
        start = stop
