"""Screening: each question is decided once, recorded, and answered the same for ever.

Only officers' decisions change an answer (`compliance/holds`), and a next attempt asks a new question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection

from compliance.chaintime import ChainTime
from compliance.client import Decision, Refusal, Screening, refusal
from compliance.limits import corridor_of
from compliance.screening.decide import PartyMatch
from compliance.screening.log import AccountTags, DecisionLog
from compliance.screening.questions import Facts, Inputs, check_attempt, check_screening
from compliance.screening.record import Decided, new_salts
from compliance.screening.rulebook import RuleBook, Rules
from contracts.terms.errors import Conflict, FeiqianError
from contracts.terms.identifiers import Address
from contracts.terms.parties import KeyDirectory
from serving.database import Database


@dataclass(frozen=True)
class _Question:
    book: RuleBook
    screening: Screening
    matches: tuple[PartyMatch, ...]
    agent_countries: tuple[str, ...]


class ScreeningService:
    """Decides for one institution."""

    def __init__(
        self,
        database: Database,
        account: Address,
        rules: Rules,
        time: ChainTime,
        directory: KeyDirectory,
        tags: AccountTags,
    ) -> None:
        self._database, self._account, self._rules = database, account, rules
        self._time, self._directory, self._tags = time, directory, tags

    def screen(self, screenings: Sequence[Screening]) -> list[Decision | Refusal]:
        """One answer per question, in order. Raises ChainUnavailable when chain time is not known, and
        ComplianceUnavailable when a list is too old to clear anything by."""
        now, book = self._time.now(), self._rules.take()
        country_of = cache(self._country)
        prepared = [self._prepare(screening, book, country_of) for screening in screenings]
        questions = [each for each in prepared if isinstance(each, _Question)]
        answers = iter(self._database.write(lambda connection: self._answer_all(connection, book, questions, now)))
        return [next(answers) if isinstance(each, _Question) else each for each in prepared]

    def _country(self, account: Address) -> str:
        found = self._directory.participant(account)
        return found.country if found else ""

    def _prepare(
        self, screening: Screening, book: RuleBook, country_of: Callable[[Address], str]
    ) -> _Question | Refusal:
        """All that needs no transaction: the checks, the names, the agents' countries."""
        try:
            check_screening(screening, self._account)
        except FeiqianError as error:
            return refusal(screening.uetr, error)
        return _Question(
            book=book,
            screening=screening,
            matches=book.matches(screening),
            agent_countries=(country_of(screening.debtor_agent), country_of(screening.creditor_agent)),
        )

    def _answer_all(
        self, connection: Connection, book: RuleBook, questions: Sequence[_Question], now: int
    ) -> list[Decision | Refusal]:
        asked = [(question.screening, corridor_of(question.agent_countries)) for question in questions]
        log = DecisionLog(connection, self._account, self._tags, book.policy.calendar, asked, now)
        answers = [self._answer(log, question, now) for question in questions]
        log.write()
        return answers

    def _answer(self, log: DecisionLog, question: _Question, now: int) -> Decision | Refusal:
        screening = question.screening
        newest = log.known.get((screening.uetr, screening.side))
        try:
            check_attempt(screening, newest.inputs.screening if newest else None)
        except Conflict as conflict:
            return refusal(screening.uetr, conflict)
        if newest is None or newest.inputs.screening.attempt < screening.attempt:
            newest = self._decide(log, question, newest, now)
            log.add(newest)
        return newest.answer()

    def _decide(self, log: DecisionLog, question: _Question, earlier: Decided | None, now: int) -> Decided:
        """Decide; about a next attempt with what officers did about the one before."""
        facts = Facts(
            asked_at=now,
            agent_countries=question.agent_countries,
            spent=(),
            reviews=earlier.inputs.facts.reviews if earlier else (),
            held_until=earlier.hold_until if earlier and earlier.verdict.waits else 0,
            used=log.used(question.screening, corridor_of(question.agent_countries)),
        )
        inputs = Inputs(self._account, question.screening, facts)
        number = earlier.number + 1 if earlier else 0
        return question.book.decide(number, inputs, question.matches, new_salts())
