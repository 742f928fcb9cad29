"""Whether a service can do its work now, and what it lacks: for whoever starts it or sends it customers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as TooSlow

from sqlalchemy.exc import SQLAlchemyError

from contracts.terms.errors import Unavailable
from serving.database import Database

Need = Callable[[], object]
"""Raises Unavailable with what is missing."""
_PATIENCE = 1.0
_REMEMBERED = 1.0
"""Seconds: anybody may ask, and looking writes to the database."""


class Readiness:
    """What a service needs beside its database, by name."""

    def __init__(self, database: Database, needs: Mapping[str, Need]) -> None:
        self._needs: dict[str, Need] = {"database": lambda: _write(database), **needs}
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self._seen_at = float("-inf")

    def check(self) -> None:
        """Raises Unavailable with everything that is missing."""
        with self._lock:
            if time.monotonic() - self._seen_at > _REMEMBERED:
                self._seen = dict(self._look())
                self._seen_at = time.monotonic()
            missing = self._seen
        if missing:
            raise Unavailable("; ".join(missing.values()), missing=", ".join(missing))

    def _look(self) -> list[tuple[str, str]]:
        missing = []
        for name, need in self._needs.items():
            try:
                need()
            except Unavailable as failure:
                missing.append((name, failure.detail))
        return missing


def _write(database: Database) -> None:
    """A commit of nothing, which moves the database's generation on and is fsynced like any other."""
    try:
        database.submit(lambda _: None).result(_PATIENCE)
    except (SQLAlchemyError, OSError) as failure:
        raise Unavailable("the database cannot be written") from failure
    except TooSlow as failure:
        raise Unavailable(f"the database did not write within {_PATIENCE:g} s") from failure
