"""Alerts about customers: officers say what each is, as they do of holds.

That somebody is the listed one, one officer says: nobody is cleared by it. That nothing is wrong takes two: the first
closes it as a false positive, and with it proposes that the pairs of party and entry are; the other approves both. A
duplicate is closed by one, because the service itself checks that another alert says all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from compliance import repository as decisions
from compliance.alerts import repository
from compliance.alerts.repository import (
    CLOSED,
    DUPLICATE,
    FALSE_POSITIVE,
    OPEN,
    PROPOSED,
    Alert,
    AlertFilter,
    KnownAlert,
)
from compliance.cases import repository as cases
from compliance.cases.acts import APPROVE_ALERT, ASSIGN_ALERT, CLOSE_ALERT, REJECT_ALERT, Act
from compliance.chaintime import ChainTime
from compliance.lists.false_positives import LONGEST, FalsePositivesService, Proposed
from compliance.lists.repository import Judgement, judgements_of
from compliance.screening.record import Note
from contracts.terms.errors import Conflict, Forbidden, Malformed, NotFound
from contracts.terms.parties import Party
from serving.database import Database


@dataclass(frozen=True)
class Closing:
    """What an officer makes of an alert. `seconds` of chain time for which a false positive counts; `duplicate_of` is
    the alert that says the same, of a duplicate alone."""

    outcome: str
    note: str
    seconds: int = LONGEST
    duplicate_of: int | None = None


@dataclass(frozen=True)
class AlertFile:
    """An alert with whom it is about, what was done, what was written by the commitments in it, and the false positives
    that were proposed from it and stand."""

    known: KnownAlert
    party: Party | None
    acts: Sequence[Act]
    notes: Mapping[bytes, Note]
    judged: Sequence[Judgement]


class AlertsService:
    """The officers' side of one institution. Acts raise ChainUnavailable when chain time is not known, NotFound, and
    Conflict with what happened when an alert is closed."""

    def __init__(self, database: Database, judging: FalsePositivesService, time: ChainTime) -> None:
        self._database, self._judging, self._time = database, judging, time

    def page(self, before: int | None, wanted: AlertFilter, limit: int) -> Sequence[KnownAlert]:
        """The newest first."""
        with self._database.read() as connection:
            return repository.page(connection, before, wanted, limit)

    def file(self, number: int) -> AlertFile:
        """Everything about one alert. Raises NotFound."""
        with self._database.read() as connection:
            known = _found(connection, number)
            acts = repository.acts_of(connection, known)
            notes = decisions.notes(connection, [each.note for each in acts if each.note is not None])
            return AlertFile(known, _party(connection, known.alert), acts, notes, judgements_of(connection, number))

    def assign(self, number: int, officer: str, to: str) -> AlertFile:
        """Give it to an officer; to nobody with an empty name."""

        def act(connection: Connection, known: KnownAlert, now: int) -> None:
            _act(connection, known, ASSIGN_ALERT, officer, now, {"officer": to})
            repository.change(connection, number, assigned=to)

        return self._do(number, act)

    def close(self, number: int, officer: str, closing: Closing) -> AlertFile:
        """Say what it is. A false positive is closed once another officer approves; the same again changes nothing.

        Raises Malformed when what is said does not go together, Conflict when another officer proposed it.
        """
        if (closing.outcome == DUPLICATE) != (closing.duplicate_of is not None):
            raise Malformed("duplicate_of: named for a duplicate, and for nothing else")

        def act(connection: Connection, known: KnownAlert, now: int) -> None:
            if closing.outcome == FALSE_POSITIVE:
                self._propose(connection, known, officer, closing, now)
                return
            if closing.duplicate_of is not None:
                _check_duplicate(connection, known, closing.duplicate_of)
            self._drop(connection, known, officer, now)
            about = {"outcome": closing.outcome, "duplicate_of": closing.duplicate_of}
            _act(connection, known, CLOSE_ALERT, officer, now, about, closing.note)
            ended = {"state": CLOSED, "closed_by": officer, "closed_at": now, "proposed_by": ""}
            repository.change(connection, number, outcome=closing.outcome, **ended)

        return self._do(number, act)

    def approve(self, number: int, officer: str, note: str) -> AlertFile:
        """Agree that it is a false positive: it is closed, and its pairs count nothing from now on.

        Raises Forbidden for the officer who said so first, Conflict when nobody did."""

        def act(connection: Connection, known: KnownAlert, now: int) -> None:
            _require_proposed(known)
            if officer == known.proposed_by:
                raise Forbidden("who closed it as a false positive does not approve that: another officer must")
            for judged in judgements_of(connection, number):
                self._judging.approve_in(connection, judged.number, officer, now)
            _act(connection, known, APPROVE_ALERT, officer, now, {"outcome": known.outcome}, note)
            repository.change(connection, number, state=CLOSED, closed_by=officer, closed_at=now)

        return self._do(number, act)

    def reject(self, number: int, officer: str, note: str) -> AlertFile:
        """It is no false positive, or not yet: it is open again. Also for the officer who said so."""

        def act(connection: Connection, known: KnownAlert, now: int) -> None:
            _require_proposed(known)
            self._drop(connection, known, officer, now)
            _act(connection, known, REJECT_ALERT, officer, now, {"outcome": known.outcome}, note)
            repository.change(connection, number, state=OPEN, outcome="", proposed_by="")

        return self._do(number, act)

    def _do(self, number: int, act: Callable[[Connection, KnownAlert, int], None]) -> AlertFile:
        now = self._time.now()

        def write(connection: Connection) -> None:
            known = _found(connection, number)
            if known.state == CLOSED:
                raise Conflict(f"this alert was closed as {known.outcome} by {known.closed_by}", outcome=known.outcome)
            act(connection, known, now)

        self._database.write(write)
        self._judging.recount()
        return self.file(number)

    def _propose(self, connection: Connection, known: KnownAlert, officer: str, closing: Closing, now: int) -> None:
        """Entries that no list in force has any more need no judgement."""
        if known.state == PROPOSED:
            if known.proposed_by == officer:
                return
            raise Conflict(f"{known.proposed_by} closed it as a false positive: approve or reject that", by=officer)
        alert, party = known.alert, _party(connection, known.alert)
        assert party is not None, "who matched is known"
        note = decisions.keep_note(connection, closing.note)
        cases.add_act(connection, _done(known, CLOSE_ALERT, officer, now, {"outcome": FALSE_POSITIVE}, note))
        proposed = Proposed(officer, now, now + closing.seconds, note, known.sequence)
        for entry in filter(None, (self._judging.entry(*each) for each in sorted(alert.entries))):
            self._judging.add(connection, (alert.uetr, alert.side), party, entry, proposed)
        repository.change(connection, known.sequence, state=PROPOSED, outcome=FALSE_POSITIVE, proposed_by=officer)

    def _drop(self, connection: Connection, known: KnownAlert, officer: str, now: int) -> None:
        """Withdraw the false positives that were proposed from it."""
        for judged in judgements_of(connection, known.sequence):
            self._judging.withdraw_in(connection, judged.number, officer, now)


def _check_duplicate(connection: Connection, known: KnownAlert, other: int) -> None:
    """Raises Conflict unless another alert says all that this one does, and officers decide, or decided, that one."""
    original = repository.find(connection, other)
    if original is None or original.sequence == known.sequence or original.outcome == DUPLICATE:
        raise Conflict("duplicate_of: another alert, no duplicate itself, is needed", duplicate_of=other)
    if original.state == CLOSED and original.alert.list_version != known.alert.list_version:
        raise Conflict("duplicate_of: that alert was closed under other lists", duplicate_of=other)
    same = _party(connection, original.alert) == _party(connection, known.alert)
    if not same or not known.alert.entries <= original.alert.entries:
        raise Conflict("duplicate_of: that alert is about another party, or not about all entries", duplicate_of=other)


def _require_proposed(known: KnownAlert) -> None:
    if known.state != PROPOSED:
        raise Conflict("nobody has closed this alert as a false positive", state=known.state)


def _found(connection: Connection, number: int) -> KnownAlert:
    known = repository.find(connection, number)
    if known is None:
        raise NotFound("no alert has this number")
    return known


def _party(connection: Connection, alert: Alert) -> Party | None:
    """Whom an alert is about, as the decision has it."""
    [(_, decided)] = decisions.decided_after(connection, alert.decision + 1, None, 1)
    return decided.inputs.screening.party(alert.role)


def _act(
    connection: Connection,
    known: KnownAlert,
    what: str,
    officer: str,
    now: int,
    about: Mapping[str, Any],
    text: str = "",
) -> None:
    note = decisions.keep_note(connection, text) if text else None
    cases.add_act(connection, _done(known, what, officer, now, about, note))


def _done(known: KnownAlert, what: str, officer: str, now: int, about: Mapping[str, Any], note: bytes | None) -> Act:
    said = {name: value for name, value in about.items() if value is not None}
    return Act(known.alert.uetr, known.alert.side, what, officer, now, note, {"alert": known.sequence, **said})
