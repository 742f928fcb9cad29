"""Screening existing customers and open payments again when the lists have changed: who matches now becomes an alert.

Customers are the parties of all decisions, the newest first. (That no payment goes through that the new lists would
stop is the attestation's care: it decides again what was cleared under older ones.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from compliance import repository as decisions
from compliance.alerts import repository as raised
from compliance.alerts.repository import Alert
from compliance.chaintime import ChainTime
from compliance.lists import repository
from compliance.lists.listed import Listed
from compliance.lists.repository import ListSet
from compliance.names.judge import Match
from compliance.names.match import NameIndex
from compliance.screening.decide import CLEAR
from compliance.screening.record import Decided
from compliance.screening.rulebook import RuleBook, Rules
from compliance.tables import signed
from contracts.terms.commitments import canonical_json
from contracts.terms.documents import to_document
from contracts.terms.parties import Party
from serving.cosigning import SETTLED
from serving.database import Database

OPEN_SECONDS = 900
"""Chain time for which a payment that was cleared may be under way: longer than any lives."""

_CHUNK = 200
_FEW = 4
"""Of all entries no more than one in so many have an index of their own: it takes room beside the whole one."""


@dataclass
class _Pass:
    """One pass through the log under one book. `changed` are the references of the entries that are new, `names` an
    index that has at least those."""

    book: RuleBook
    changed: frozenset[str]
    names: NameIndex
    now: int
    parties: set[bytes] = field(default_factory=set)
    payments: set[tuple[str, str]] = field(default_factory=set)


class Rescreening:
    """Goes on where it was stopped. One thread."""

    def __init__(self, database: Database, rules: Rules, time: ChainTime) -> None:
        self._database, self._rules, self._time = database, rules, time
        self._pass: tuple[str, _Pass] | None = None

    def step(self) -> bool:
        """Screen the next parties again; False when all are. Raises ChainUnavailable when chain time is not known."""
        with self._database.read() as connection:
            newest = repository.newest_set(connection)
            if newest is None or newest.rescreened_down_to == 0:
                self._pass = None
                return False
            current = self._current(connection, newest)
            if current is None:
                return False
            chunk = decisions.decided_after(connection, newest.rescreened_down_to, None, _CHUNK)
            settled = _settled(connection, [each.inputs.screening.uetr for _, each in chunk])
        if not current.changed:
            chunk = []
        alerts = [alert for number, each in chunk for alert in _alerts(current, number, each, settled)]
        down_to = chunk[-1][0] if len(chunk) == _CHUNK else 0

        def record(connection: Connection) -> None:
            raised.add(connection, alerts)
            repository.mark_rescreened(connection, newest.sequence, down_to)

        self._database.write(record)
        return down_to != 0

    def _current(self, connection: Connection, newest: ListSet) -> _Pass | None:
        """The pass for the newest lists; None while this process has not taken them."""
        book = self._rules.latest()
        if book.versions.lists != newest.version:
            return None
        if self._pass is None or self._pass[0] != newest.version:
            changed, listed = _changed_until(connection, newest)
            names = _index_of(changed, listed, book)
            self._pass = newest.version, _Pass(book, changed, names, self._time.now())
        return self._pass[1]


def _changed_until(connection: Connection, newest: ListSet) -> tuple[frozenset[str], Listed | None]:
    """What changed from version to version since all customers were screened: somebody may have been cleared under
    lists that were replaced, by others or by the earlier ones, before anybody was screened again. And the newest."""
    since = repository.versions_since_rescreened(connection, newest.sequence)
    found, before = frozenset[str](), None
    for version in since:
        listed = repository.listed_under(connection, version)
        found, before = found | changed(before, listed) if before else found, listed
    return found, before


def _index_of(changed: frozenset[str], listed: Listed | None, book: RuleBook) -> NameIndex:
    """What customers are compared with: a score depends on two names alone, so that few entries need no long index."""
    entries = [entry for entry in listed.entries if entry.reference in changed] if listed else []
    few = listed is not None and 0 < len(entries) * _FEW < len(listed.entries)
    return NameIndex(entries) if few else book.names


def changed(old: Listed, new: Listed) -> frozenset[str]:
    """The references of entries by which somebody may match who did not: new ones, those that say something else, and
    those of false positives that count no more."""
    before = {entry.reference: entry for entry in old.entries}
    entries = {entry.reference for entry in new.entries if before.get(entry.reference) != entry}
    dropped = {pair.reference for pair in set(old.false_positives) - set(new.false_positives)}
    return frozenset(entries | dropped)


def _alerts(current: _Pass, number: int, decided: Decided, settled: set[str]) -> Iterator[Alert]:
    screening = decided.inputs.screening
    key = (screening.uetr, screening.side)
    newest = key not in current.payments
    under_way = newest and screening.uetr not in settled and _under_way(decided, current.now)
    if current.now - decided.inputs.facts.decided_at <= OPEN_SECONDS or decided.verdict.waits:
        current.payments.add(key)
    for role, party in (("debtor", screening.debtor), ("creditor", screening.creditor)):
        if party is None or not (under_way or _name_of(party) not in current.parties):
            continue
        current.parties.add(_name_of(party))
        if found := _new_matches(current, party):
            yield Alert(
                uetr=screening.uetr,
                side=screening.side,
                list_version=current.book.versions.lists,
                decision=number,
                role=role,
                payment_open=under_way,
                score=found[0].score,
                matches=[to_document(match) for match in found],
                made_at=current.now,
            )


def _new_matches(current: _Pass, party: Party) -> list[Match]:
    book = current.book
    weighed = book.weighing.of_party(party, current.names.matches(party), current.now, book.policy)
    return [
        match
        for match in weighed
        if match.score >= book.policy.hold_score and f"{match.list_name} {match.entry_id}" in current.changed
    ]


def _under_way(decided: Decided, now: int) -> bool:
    if decided.verdict.waits:
        return decided.hold_until >= now
    return decided.verdict.outcome == CLEAR and now - decided.inputs.facts.decided_at <= OPEN_SECONDS


def _name_of(party: Party) -> bytes:
    """Tells a party from others, in little room."""
    return hashlib.sha256(canonical_json(to_document(party))).digest()[:16]


def _settled(connection: Connection, uetrs: list[str]) -> set[str]:
    payments, batches = signed.payments, signed.batches
    query = select(payments.c.uetr).join(batches, payments.c.batch_hash == batches.c.batch_hash)
    return set(connection.execute(query.where(payments.c.uetr.in_(uetrs), batches.c.state == SETTLED)).scalars())
