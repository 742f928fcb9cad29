"""Screening existing customers and open payments again when the lists have changed: who matches now becomes an alert.

Customers are the parties of all decisions, the newest first. (That no payment goes through that the new lists would
stop is the attestation's care: it decides again what was cleared under older ones.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Connection, select

from compliance import repository as decisions
from compliance.alerts import repository as raised
from compliance.alerts.repository import Alert
from compliance.chaintime import ChainTime
from compliance.lists import repository
from compliance.lists.listed import Listed
from compliance.lists.repository import ListSet
from compliance.names.match import Match
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


@dataclass
class _Pass:
    """One pass through the log under one book. `changed` are the references of the entries that are new."""

    book: RuleBook
    changed: frozenset[str]
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
        alerts = [alert for number, each in chunk for alert in _alerts(current, number, each, settled)]
        down_to = chunk[-1][0] if len(chunk) == _CHUNK and current.changed else 0

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
            self._pass = newest.version, _Pass(book, _changed_until(connection, newest), self._time.now())
        return self._pass[1]


def _changed_until(connection: Connection, newest: ListSet) -> frozenset[str]:
    """What changed from version to version since all customers were screened: somebody may have been cleared under
    lists that were replaced, by others or by the earlier ones, before anybody was screened again."""
    since = repository.versions_since_rescreened(connection, newest.sequence)
    in_turn = pairwise(repository.listed_under(connection, version) for version in since)
    return frozenset().union(*(changed(old, new) for old, new in in_turn))


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
    weighed = book.weighing.of_party(party, book.names.matches(party), current.now, book.policy)
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
