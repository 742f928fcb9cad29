"""What was decided and by what: for officers and auditors. (Deciding is `screening/`, attesting is `attesting.py`.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from compliance import repository
from compliance.lists.loader import read_list
from compliance.names.match import NameIndex
from compliance.policy import Policy, read_policy
from compliance.screening.decide import decide, find_matches
from compliance.screening.record import FIRST_HEAD, Decided, record_decision
from contracts.terms.errors import NotFound
from serving.database import Database


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

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, outcome: str | None, before: int | None, limit: int) -> DecisionPage:
        """At most `limit` decisions older than the one numbered `before`, of one outcome or of all."""
        with self._database.read() as connection:
            found = repository.decided_after(connection, before, outcome, limit + 1)
        more = found[limit - 1][0] if len(found) > limit else None
        return DecisionPage(tuple(found[:limit]), more)

    def of_payment(self, uetr: str) -> Sequence[Decided]:
        """The decisions about one payment, one a side. Raises NotFound."""
        with self._database.read() as connection:
            found = repository.decided(connection, [uetr])
        if not found:
            raise NotFound("no decision about this payment")
        return list(found.values())

    def replay(self) -> Replayed:
        """Run every decision again from what was stored, and follow the log's chain from its first head."""
        same, faults, head = 0, list[str](), FIRST_HEAD
        with self._database.read() as connection:
            books = _Books(connection)
            for expected, (sequence, stored) in enumerate(repository.all_decided(connection), start=1):
                if sequence != expected or stored.previous_head != head:
                    faults.append(f"the log is broken before decision {sequence}")
                if books.run_again(stored) == stored:
                    same += 1
                else:
                    faults.append(f"decision {sequence} does not re-run to what was recorded")
                head = stored.head
        return Replayed(same, tuple(faults))


class _Books:
    """The policies and lists of all versions that decisions were made under, read once each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._policies, self._names = dict[str, Policy](), dict[str, NameIndex]()

    def run_again(self, stored: Decided) -> Decided:
        """The decision as it follows from the stored inputs, salts and versions."""
        policy, names = self._policy(stored.versions.policy), self._index(stored.versions.lists)
        matches = find_matches(stored.inputs.screening, names)
        verdict = decide(stored.inputs, matches, policy)
        return record_decision(
            stored.inputs, verdict, stored.versions, stored.salts, policy.hold_seconds, stored.previous_head
        )

    def _policy(self, version: str) -> Policy:
        if version not in self._policies:
            self._policies[version] = read_policy(repository.policy_content(self._connection, version))
        return self._policies[version]

    def _index(self, version: str) -> NameIndex:
        if version not in self._names:
            content = repository.list_content(self._connection, version)
            self._names[version] = NameIndex(read_list(content).entries)
        return self._names[version]
