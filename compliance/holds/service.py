"""Holds: officers look at what was held and release or refuse it; each time the payment is decided anew.

What they do becomes a fact of the next decision about the same question, made under the policy and lists in force, so
that it stands in the log and runs again like every other. Nobody decides alone: to release takes two different
officers, to refuse as many as the policy says, and one who does the opposite of before counts for the last only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from compliance import repository
from compliance.cases import repository as cases
from compliance.cases.repository import Case, Filter
from compliance.chaintime import ChainTime
from compliance.limits import corridor_of
from compliance.repository import Key
from compliance.screening.decide import RELEASE, officers_missing, refusers_missing, standing
from compliance.screening.log import AccountTags, DecisionLog
from compliance.screening.questions import Review
from compliance.screening.record import Decided, Note, new_note, new_salts
from compliance.screening.rulebook import RuleBook, Rules
from contracts.terms.errors import Conflict, Forbidden, NotFound
from contracts.terms.identifiers import Address
from serving.database import Database

EVERY_CASE = Filter()


@dataclass(frozen=True)
class Hold:
    """A payment that was held, by the newest decision about it, and its place in the officers' queue; what its officers
    wrote, by the commitments in their reviews; how many more of them must release it or refuse it, 0 when it is
    decided; whether its deadline has passed."""

    decided: Decided
    case: Case
    notes: Mapping[bytes, Note]
    officers_missing: int
    refusers_missing: int
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

    def page(self, after: int, limit: int, wanted: Filter = EVERY_CASE) -> HoldsPage:
        """At most `limit` payments that wait for officers, behind the place `after` in the queue."""
        now = self._time.now()
        with self._database.read() as connection:
            found = cases.queue(connection, after, now, wanted, limit + 1)
            newest = repository.decided(connection, [case.uetr for case in found[:limit]])
            holds = tuple(self._hold(connection, newest[case.uetr, case.side], case, now) for case in found[:limit])
        return HoldsPage(holds, found[limit - 1].opened if len(found) > limit else None)

    def one(self, key: Key) -> Hold:
        """What became of one hold. Raises NotFound, also for what was never held."""
        now = self._time.now()
        with self._database.read() as connection:
            return self._newest(connection, key, now)

    def review(self, key: Key, officer: str, action: str, note: str, lead: bool = False) -> Hold:
        """Release or refuse what is held. The same officer's same action again changes nothing.

        Raises NotFound, Conflict with what happened when nothing is held (any more), Forbidden when the case was
        escalated and the officer is no lead, and ComplianceUnavailable when a list is too old to release anything by;
        refusing needs none.
        """
        now, book = self._time.now(), self._rules.take() if action == RELEASE else self._rules.latest()

        def act(connection: Connection) -> Hold:
            newest = repository.decided(connection, [key[0]]).get(key)
            if newest is None:
                raise NotFound("no payment with this UETR was screened on this side")
            case = cases.find(connection, key)
            if case is None:
                raise _not_waiting(newest)
            hold = self._hold(connection, newest, case, now)
            if _done_before(hold.decided, officer, action):
                return hold
            check_open(hold)
            if hold.case.escalated and not lead:
                raise Forbidden("this case was escalated: officers with the scope compliance:lead decide it")
            return self.decide_anew(connection, book, hold, officer, action, note, now)

        return self._database.write(act)

    def open_hold(self, connection: Connection, key: Key, now: int) -> Hold:
        """A hold that officers may still do something about. Raises NotFound and Conflict."""
        hold = self._newest(connection, key, now)
        check_open(hold)
        return hold

    def ask_anew(self, connection: Connection, hold: Hold, who: str, action: str, note: str, now: int) -> Hold:
        """The decision that follows from a question to the other institution, or from its answer: no clearance, so that
        it needs no fresh list."""
        return self.decide_anew(connection, self._rules.latest(), hold, who, action, note, now)

    def decide_anew(
        self, connection: Connection, book: RuleBook, hold: Hold, officer: str, action: str, note: str, now: int
    ) -> Hold:
        """The decision by a book that follows from what an officer did, or another institution answered."""
        newest = hold.decided
        written = new_note(note)
        repository.add_note(connection, written)
        review = Review(officer, action, now, _references(newest), written.commitment)
        return self._hold(connection, self._decide(connection, book, newest, review), hold.case, now)

    def _newest(self, connection: Connection, key: Key, now: int) -> Hold:
        case = cases.find(connection, key)
        if case is None:
            raise NotFound("no payment with this UETR was held on this side")
        return self._hold(connection, repository.decided(connection, [key[0]])[key], case, now)

    def _decide(self, connection: Connection, book: RuleBook, newest: Decided, review: Review) -> Decided:
        screening, facts = newest.inputs.screening, newest.inputs.facts
        about = [(screening, corridor_of(facts.agent_countries))]
        log = DecisionLog(connection, self._account, self._tags, book.policy.calendar, about, review.at)
        known = replace(facts, reviews=(*facts.reviews, review), held_until=newest.hold_until)
        inputs = replace(newest.inputs, facts=known)
        matches = book.matches(screening)
        decided = book.decide(newest.number + 1, inputs, matches, new_salts())
        log.add(decided)
        log.write()
        return decided

    def _hold(self, connection: Connection, decided: Decided, case: Case, now: int) -> Hold:
        reviews, policy, waits = decided.inputs.facts.reviews, self._rules.latest().policy, decided.verdict.waits
        missing = max(1, officers_missing(decided.verdict.matches, reviews, policy)) if waits else 0
        refusing = max(1, refusers_missing(reviews, policy)) if waits else 0
        notes = repository.notes_of(connection, reviews)
        return Hold(decided, case, notes, missing, refusing, waits and decided.hold_until < now)


def check_open(hold: Hold) -> None:
    """Refuse to act about what waits no more. Raises Conflict with what happened."""
    verdict = hold.decided.verdict
    if not verdict.waits:
        raise _not_waiting(hold.decided)
    if hold.ended:
        ended = hold.decided.hold_until
        raise Conflict("the hold has ended, and the payment with it", outcome=verdict.outcome, hold_until=ended)


def _not_waiting(newest: Decided) -> Conflict:
    verdict, decided_at = newest.verdict, newest.inputs.facts.decided_at
    happened = f"the outcome is {verdict.outcome}" + (f": {verdict.detail}" if verdict.detail else "")
    return Conflict(f"nothing is held here; {happened}", outcome=verdict.outcome, decided_at=decided_at)


def _references(decided: Decided) -> tuple[str, ...]:
    return tuple(found.reference for found in decided.verdict.matches)


def _done_before(newest: Decided, officer: str, action: str) -> bool:
    """A release that did not see all that is matched now was of something else."""
    reviews = newest.inputs.facts.reviews
    if not newest.verdict.waits:
        return any((each.officer, each.action) == (officer, action) for each in reviews)
    own = [each for each in standing(reviews, action) if each.officer == officer]
    return any(action != RELEASE or set(_references(newest)) <= set(each.entries) for each in own)
