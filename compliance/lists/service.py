"""Lists as officers look at them: what is in force, every version that ever was, what differs."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.lists import repository
from compliance.lists.difference import Difference, difference
from compliance.lists.entries import ListEntry
from compliance.lists.repository import Issue
from contracts.terms.errors import NotFound
from serving.database import DatabaseReader


class ListsService:
    """Reads what is kept; writes nothing."""

    def __init__(self, database: DatabaseReader) -> None:
        self._database = database

    def issues(self, before: int | None, limit: int) -> Sequence[tuple[Issue, int]]:
        """Versions as they came, with their numbers of entries, the newest first."""
        with self._database.read() as connection:
            return repository.issues(connection, before, limit)

    def difference(self, old: str, new: str) -> Difference:
        """Between two versions. Raises NotFound."""
        return difference(self._entries(old), self._entries(new))

    def _entries(self, version: str) -> tuple[ListEntry, ...]:
        with self._database.read() as connection:
            found = repository.kept(connection, version)
        if found is None:
            raise NotFound(f"no list of the version {version[:80]} is kept")
        return found.entries
