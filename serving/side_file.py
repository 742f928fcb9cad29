"""A small file outside the database that says what was acknowledged, locked for as long as a process writes it.

One write of a few bytes, which survives kill -9; nothing is fsynced, so a power cut may leave older ones.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import Any

from contracts.terms.errors import Unavailable


class DatabaseInUse(Unavailable):
    """Another process has this database, or this process has it already."""

    title = "The database is in use"


class SideFile:
    """The file of one writer, made when it is missing. Raises DatabaseInUse when somebody has it open already."""

    def __init__(self, path: Path, layout: struct.Struct, what: str) -> None:
        self.path, self._layout = path, layout
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            holder = _holder(os.fstat(self._file.fileno()).st_ino)
            self._file.close()
            raise DatabaseInUse(f"the database {what} is in use by {holder}") from failure

    def read(self) -> tuple[Any, ...] | None:
        """What was written last; None when nothing whole was."""
        content = os.pread(self._file.fileno(), self._layout.size, 0)
        return self._layout.unpack(content) if len(content) == self._layout.size else None

    def write(self, *values: object) -> None:
        os.pwrite(self._file.fileno(), self._layout.pack(*values), 0)

    def close(self) -> None:
        """Let go of the file; its lock ends with it."""
        self._file.close()


def _holder(inode: int) -> str:
    """Who has locked this file, as far as the kernel tells (Linux: proc_locks(5))."""
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        locks = []
    pids = [lock[4] for lock in locks if lock[1] == "FLOCK" and lock[5].endswith(f":{inode}")]
    return f"process {pids[0]}" if pids else "another process"
