"""Holds: officers look at what was held and release or refuse it; each time the payment is decided anew.

What they do becomes a fact of the next decision about the same question, made under the policy and lists in force, so
that it stands in the log and runs again like every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from compliance import repository
from compliance.chaintime import ChainTime
from compliance.repository import Key
from compliance.screening.decide import HOLD, RELEASE, officers_missing
from compliance.screening.log import AccountTags, DecisionLog
from compliance.screening.questions import Review
from compliance.screening.record import Decided, Note, new_note, new_salts
from compliance.screening.rulebook import RuleBook, Rules
from contracts.terms.errors import Conflict, NotFound
from contracts.terms.identifiers import Address
from serving.database import Database


@dataclass(frozen=True)
class Hold:
    """A payment that was held, by the newest decision about it; what its officers wrote, by the commitments in their
    reviews; how many more of them must release it, 0 when it is decided; whether its deadline has passed."""

    decided: Decided
    notes: Mapping[bytes, Note]
    officers_missing: int
    ended: bool


@dataclass(frozen=True)
class HoldsPage:
    """Holds, the oldest first; `next_after` asks for the page after, None at the end."""

    holds: tuple[Hold, ...]
    next_after: int | None


class HoldsService:
    """The officers' side of one institution. Everything raises ChainUnavailable when chain time is not known."""

    def __init__(self, database: Database, account: Address, rules: Rules, time: ChainTime, tags: AccountTags) -> None:
        self._database, self._account, self._rules = database, account, rules
        self._time, self._tags = time, tags

    def page(self, after: int, limit: int) -> HoldsPage:
        """At most `limit` payments that wait for officers, behind the place `after` in the queue."""
        now = self._time.now()
        with self._database.read() as connection:
            found = repository.held(connection, after, now, limit + 1)
            holds = tuple(self._hold(connection, decided, now) for _, decided in found[:limit])
        return HoldsPage(holds, found[limit - 1][0] if len(found) > limit else None)

    def one(self, key: Key) -> Hold:
        """What became of one hold. Raises NotFound, also for what was never held."""
        now = self._time.now()
        with self._database.read() as connection:
            decisions = [each for each in repository.history(connection, key[0]) if _key(each) == key]
            if not any(each.verdict.outcome == HOLD for each in decisions):
                raise NotFound("no payment with this UETR was held on this side")
            return self._hold(connection, decisions[-1], now)

    def review(self, key: Key, officer: str, action: str, note: str) -> Hold:
        """Release or refuse what is held. The same officer's same action again changes nothing.

        Raises NotFound, Conflict with what happened when nothing is held (any more), and ComplianceUnavailable when a
        list is too old to release anything by; refusing needs none.
        """
        now, book = self._time.now(), self._rules.take() if action == RELEASE else self._rules.latest()
        return self._database.write(lambda connection: self._review(connection, book, key, officer, action, note, now))

    def _review(
        self, connection: Connection, book: RuleBook, key: Key, officer: str, action: str, note: str, now: int
    ) -> Hold:
        newest = repository.decided(connection, [key[0]]).get(key)
        if newest is None:
            raise NotFound("no payment with this UETR was screened on this side")
        if not _done_before(newest, officer, action):
            _check_open(newest, now)
            written = new_note(note)
            repository.add_note(connection, written)
            review = Review(officer, action, now, _references(newest), written.commitment)
            newest = self._decide_anew(connection, book, newest, review)
        return self._hold(connection, newest, now)

    def _decide_anew(self, connection: Connection, book: RuleBook, newest: Decided, review: Review) -> Decided:
        screening, facts = newest.inputs.screening, newest.inputs.facts
        log = DecisionLog(connection, self._account, self._tags, [screening], review.at)
        known = replace(facts, reviews=(*facts.reviews, review), held_until=newest.hold_until)
        inputs = replace(newest.inputs, facts=known)
        matches = book.matches(screening)
        decided = book.decide(newest.number + 1, inputs, matches, new_salts(), log.head)
        log.add(decided)
        log.write()
        return decided

    def _hold(self, connection: Connection, decided: Decided, now: int) -> Hold:
        reviews, held = decided.inputs.facts.reviews, decided.verdict.outcome == HOLD
        missing = max(1, officers_missing(decided.verdict.matches, reviews, self._rules.latest().policy)) if held else 0
        notes = repository.notes_of(connection, reviews)
        return Hold(decided, notes, missing, held and decided.hold_until < now)


def _key(decided: Decided) -> Key:
    return decided.inputs.screening.uetr, decided.inputs.screening.side


def _references(decided: Decided) -> tuple[str, ...]:
    return tuple(found.reference for found in decided.verdict.matches)


def _done_before(newest: Decided, officer: str, action: str) -> bool:
    """A release that did not see all that is matched now was of something else."""
    own = [each for each in newest.inputs.facts.reviews if (each.officer, each.action) == (officer, action)]
    if newest.verdict.outcome != HOLD:
        return bool(own)
    return action == RELEASE and any(set(_references(newest)) <= set(each.entries) for each in own)


def _check_open(newest: Decided, now: int) -> None:
    verdict, decided_at = newest.verdict, newest.inputs.facts.decided_at
    if verdict.outcome != HOLD:
        happened = f"the outcome is {verdict.outcome}" + (f": {verdict.detail}" if verdict.detail else "")
        raise Conflict(f"nothing is held here; {happened}", outcome=verdict.outcome, decided_at=decided_at)
    if newest.hold_until < now:
        raise Conflict("the hold has ended, and the payment with it", outcome=HOLD, hold_until=newest.hold_until)
