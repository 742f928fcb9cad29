"""Screening: each question is decided once, recorded, and answered the same for ever."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from compliance import repository
from compliance.chaintime import ChainTime
from compliance.client import Decision, Refusal, Screening, refusal
from compliance.names.match import NameIndex
from compliance.policy import Policy
from compliance.screening.decide import REFUSE, PartyMatch, decide, find_matches
from compliance.screening.questions import SECONDS_A_DAY, Facts, Inputs, Spent, check_screening, moved
from compliance.screening.record import Decided, Versions, new_salts, record_decision
from contracts.terms.errors import Conflict, FeiqianError
from contracts.terms.identifiers import Address
from contracts.terms.parties import KeyDirectory
from serving.database import Database


@dataclass(frozen=True)
class RuleBook:
    """What decisions follow from: one version of the policy and one of the lists."""

    policy: Policy
    names: NameIndex
    versions: Versions


@dataclass(frozen=True)
class _Question:
    screening: Screening
    matches: tuple[PartyMatch, ...]
    agent_countries: tuple[str, ...]
    account_tag: bytes


class ScreeningService:
    """Decides for one institution. `secret` keys the tags under which the day's totals of accounts are kept."""

    def __init__(
        self,
        database: Database,
        account: Address,
        book: RuleBook,
        time: ChainTime,
        directory: KeyDirectory,
        secret: bytes,
    ) -> None:
        self._database, self._account, self._book = database, account, book
        self._time, self._directory, self._secret = time, directory, secret

    def screen(self, screenings: Sequence[Screening]) -> list[Decision | Refusal]:
        """One answer per question, in order. Raises ChainUnavailable when chain time is not known."""
        now = self._time.now()
        prepared = [self._prepare(screening) for screening in screenings]
        questions = [each for each in prepared if isinstance(each, _Question)]
        answers = iter(self._database.write(lambda connection: self._answer(connection, questions, now)))
        return [next(answers) if isinstance(each, _Question) else each for each in prepared]

    def _prepare(self, screening: Screening) -> _Question | Refusal:
        """All that needs no transaction: the checks, the names, the agents' countries."""
        try:
            check_screening(screening, self._account)
        except FeiqianError as error:
            return refusal(screening.uetr, error)
        agents = (screening.debtor_agent, screening.creditor_agent)
        known = (self._directory.participant(agent) for agent in agents)
        account = screening.debtor.account if screening.debtor and screening.side == "debtor" else ""
        return _Question(
            screening=screening,
            matches=find_matches(screening, self._book.names),
            agent_countries=tuple(each.country if each else "" for each in known),
            account_tag=hmac.digest(self._secret, account.encode(), hashlib.sha256),
        )

    def _answer(self, connection: Connection, questions: Sequence[_Question], now: int) -> list[Decision | Refusal]:
        known = repository.decided(connection, [each.screening.uetr for each in questions])
        end, head = repository.log_end(connection)
        day = now // SECONDS_A_DAY
        totals = defaultdict(int, repository.totals_of_day(connection, day, {each.account_tag for each in questions}))
        before, new, answers = dict(totals), list[Decided](), list[Decision | Refusal]()
        for question in questions:
            key = (question.screening.uetr, question.screening.side)
            if key not in known:
                known[key] = self._decide(question, now, totals, head)
                head = known[key].head
                new.append(known[key])
            answers.append(_answer_of(known[key], question.screening))
        repository.append(connection, end, new)
        changed = {key: amount for key, amount in totals.items() if amount != before.get(key, 0)}
        repository.set_totals(connection, day, changed)
        return answers

    def _decide(self, question: _Question, now: int, totals: dict[tuple[bytes, int], int], head: bytes) -> Decided:
        """Decide, and count what may still be paid against the debtor account's day."""
        amounts = moved(question.screening, self._account)
        spent = _spent(question, amounts, totals)
        inputs = Inputs(self._account, question.screening, Facts(now, question.agent_countries, spent))
        book = self._book
        verdict = decide(inputs, question.matches, book.policy)
        if question.screening.side == "debtor" and verdict.outcome != REFUSE:
            for unit, amount in amounts.items():
                totals[question.account_tag, unit] += amount
        return record_decision(inputs, verdict, book.versions, new_salts(), book.policy.hold_seconds, head)


def _spent(
    question: _Question, amounts: Mapping[int, int], totals: Mapping[tuple[bytes, int], int]
) -> tuple[Spent, ...]:
    if question.screening.side != "debtor":
        return ()
    return tuple(Spent(unit, totals.get((question.account_tag, unit), 0)) for unit in sorted(amounts))


def _answer_of(decided: Decided, screening: Screening) -> Decision | Refusal:
    if decided.inputs.screening != screening:
        return refusal(screening.uetr, Conflict("this payment and side was screened before with another content"))
    return decided.answer()
