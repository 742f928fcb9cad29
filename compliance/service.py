"""What was decided and by what: for officers and auditors. (Deciding is `screening/`, attesting is `attesting.py`.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from compliance import repository
from compliance.alerts.audit import faults as alert_faults
from compliance.cases.audit import faults as case_faults
from compliance.lists.repository import listed_under
from compliance.log.audit import faults as log_faults
from compliance.names.match import NameIndex
from compliance.names.model import shipped_model
from compliance.policy import Policy, read_policy
from compliance.repository import Key
from compliance.screening.record import Decided, Versions
from compliance.screening.rulebook import RuleBook, rule_book
from contracts.terms.errors import NotFound
from serving.database import DatabaseReader

_BOOKS_AT_HAND = 4


@dataclass(frozen=True)
class DecisionPage:
    """Decisions with their numbers in the log, newest first; `next_before` asks for the page after, None at the end."""

    decisions: tuple[tuple[int, Decided], ...]
    next_before: int | None


@dataclass(frozen=True)
class Replayed:
    """A log read through: how many decisions re-ran to the same record, and what is wrong with the others."""

    same: int
    faults: tuple[str, ...]


class DecisionsService:
    """Reads what was decided; writes nothing."""

    def __init__(self, database: DatabaseReader) -> None:
        self._database = database

    def page(self, outcome: str | None, before: int | None, limit: int) -> DecisionPage:
        """At most `limit` decisions older than the one numbered `before`, of one outcome or of all."""
        with self._database.read() as connection:
            found = repository.decided_after(connection, before, outcome, limit + 1)
        more = found[limit - 1][0] if len(found) > limit else None
        return DecisionPage(tuple(found[:limit]), more)

    def of_payment(self, uetr: str) -> Sequence[Decided]:
        """The decisions about one payment in their order; of each side the last counts. Raises NotFound."""
        with self._database.read() as connection:
            found = repository.history(connection, uetr)
        if not found:
            raise NotFound("no decision about this payment")
        return found

    def replay(self) -> Replayed:
        """Run every decision again from what was stored, and read the log through from its first entry."""
        same, faults, last = 0, list[str](), dict[Key, int]()
        with self._database.read() as connection:
            faults += log_faults(connection)
            books = _Books(connection)
            for sequence, stored in repository.all_decided(connection):
                key = stored.inputs.screening.uetr, stored.inputs.screening.side
                if stored.number != last.get(key, -1) + 1:
                    faults.append(f"decision {sequence} does not follow upon the one before about the same payment")
                last[key] = stored.number
                again = books.run_again(stored)
                if again == stored:
                    same += 1
                elif stored.versions.names != shipped_model().version:
                    faults.append(
                        f"decision {sequence} was made with another model of names: replay it with its release"
                    )
                else:
                    faults.append(f"decision {sequence} does not re-run to what was recorded")
                if not _notes_open(connection, stored):
                    faults.append(f"an officer's note about decision {sequence} is not what was committed to")
            faults += case_faults(connection)
            faults += alert_faults(connection)
        return Replayed(same, tuple(faults))


def _notes_open(connection: Connection, stored: Decided) -> bool:
    reviews = stored.inputs.facts.reviews
    notes = repository.notes_of(connection, reviews) if reviews else {}
    return all(review.note in notes and notes[review.note].opens for review in reviews)


class _Books:
    """The policies and lists of the versions that decisions were made under. The last few are at hand: the log is read
    in its order, and an index takes room."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._books = dict[Versions, RuleBook]()
        self._names: tuple[object, NameIndex] | None = None

    def run_again(self, stored: Decided) -> Decided:
        """The decision as it follows from the stored inputs, salts and versions."""
        book = self._book(stored.versions)
        matches = book.matches(stored.inputs.screening)
        return book.decide(stored.number, stored.inputs, matches, stored.salts)

    def _book(self, versions: Versions) -> RuleBook:
        if versions not in self._books:
            if len(self._books) == _BOOKS_AT_HAND:
                del self._books[next(iter(self._books))]
            policy = read_policy(repository.policy_content(self._connection, versions.policy))
            self._books[versions] = self._read(policy, versions)
        return self._books[versions]

    def _read(self, policy: Policy, versions: Versions) -> RuleBook:
        """Versions that differ in false positives alone have one index."""
        listed = listed_under(self._connection, versions.lists)
        lists = listed.versions or versions.lists
        if self._names is None or self._names[0] != lists:
            self._names = lists, NameIndex(listed.entries)
        return replace(rule_book(policy, listed, self._names[1]), versions=versions)
