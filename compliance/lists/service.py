"""Lists as officers look at them: what is in force, every version that ever was, what differs, who matches since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.lists import repository
from compliance.lists.difference import Difference, difference
from compliance.lists.entries import ListEntry
from compliance.lists.repository import Alert, Issue
from contracts.terms.errors import NotFound
from serving.database import DatabaseReader


@dataclass(frozen=True)
class FoundAlert:
    """An alert with its number, and the payment and side whose decision has the party."""

    sequence: int
    uetr: str
    side: str
    alert: Alert


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

    def alerts(self, before: int | None, limit: int) -> Sequence[FoundAlert]:
        """The newest first."""
        with self._database.read() as connection:
            return [FoundAlert(*each) for each in repository.alerts_before(connection, before, limit)]

    def _entries(self, version: str) -> tuple[ListEntry, ...]:
        with self._database.read() as connection:
            found = repository.kept(connection, version)
        if found is None:
            raise NotFound(f"no list of the version {version[:80]} is kept")
        return found.entries
