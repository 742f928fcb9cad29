"""Writing decisions into the log, and beside them what counts against limits and which cases officers must look at."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sqlalchemy import Connection

import compliance.log.repository as entries
from compliance import repository
from compliance.cases import repository as cases
from compliance.client import Screening
from compliance.inquiries.asking import ask_by_rule
from compliance.limits import CORRIDOR, CUSTOMER, DAY, SCOPES, YEAR, Calendar, corridor_of
from compliance.names.normalise import words
from compliance.repository import Key, Tags, Total
from compliance.screening.decide import REFUSE
from compliance.screening.questions import Used, moved, period_of
from compliance.screening.record import Decided
from contracts.terms.identifiers import Address
from contracts.terms.parties import Party


class AccountTags:
    """The names under which totals and payments of a party are found: keyed, so that the database alone does not tell
    whose they are."""

    def __init__(self, secret: bytes) -> None:
        self._of = lru_cache(maxsize=65536)(lambda text: hmac.digest(secret, text.encode(), hashlib.sha256))

    def tag(self, screening: Screening, scope: str = CUSTOMER, corridor: str = "") -> bytes:
        """Whose limit it is: the debtor account's, that in a corridor, or the whole corridor's."""
        account = screening.debtor.account if screening.debtor and screening.side == "debtor" else ""
        if scope == CUSTOMER:
            return self._of(account)
        return self._of(f"\0{corridor}" if scope == CORRIDOR else f"{account}\0{corridor}")

    def parties(self, screening: Screening) -> Tags:
        """Of both parties, by account where they have one, else by the words of the name."""
        return self._party(screening.debtor), self._party(screening.creditor)

    def _party(self, party: Party | None) -> bytes | None:
        if party is None:
            return None
        named = party.account or "\0".join(["", party.kind, *words(party.name, party.kind)])
        return self._of(f"party\0{named}")


class DecisionLog:
    """The end of the log within one transaction: `known` holds the newest decision by UETR and side.

    A decision takes the place of the one before it: of a payment and side only the newest counts towards a limit. What
    was added is written by `write`, as one list.
    """

    def __init__(
        self,
        connection: Connection,
        account: Address,
        tags: AccountTags,
        calendar: Calendar,
        about: Iterable[tuple[Screening, str]],
        now: int,
    ) -> None:
        """`about` has the questions, each with its corridor."""
        self._connection, self._account, self._tags = connection, account, tags
        asked, today = list(about), calendar.date_of(now)
        self._periods = tuple(period_of(today, length) for length in (DAY, YEAR))
        self.known: dict[Key, Decided] = repository.decided(connection, [each.uetr for each, _ in asked])
        counted = [place for decided in self.known.values() for place in self._counted(decided)]
        whose = {tags.tag(each, *scope) for each, corridor in asked for scope in _scopes(corridor)}
        self._before = repository.totals(
            connection,
            {*self._periods, *(period for _, period, _ in counted)},
            {*whose, *(tag for tag, _, _ in counted)},
        )
        self._totals: dict[Total, int] = defaultdict(int, self._before)
        self._new = list[tuple[Decided, Decided | None]]()

    def used(self, screening: Screening, corridor: str) -> tuple[Used, ...]:
        """What other payments already moved today and this year of this one's limits, in its currencies."""
        if screening.side != "debtor":
            return ()
        own = self._counted(self.known.get((screening.uetr, screening.side)))
        units = sorted(moved(screening, self._account))
        tags, found = [self._tags.tag(screening, *scope) for scope in _scopes(corridor)], []
        for period in self._periods:
            for unit in units:
                places = [(tag, period, unit) for tag in tags]
                sums = [self._totals[place] - own.get(place, 0) for place in places]
                found.append(Used(period, unit, *sums, *(0 for _ in SCOPES[len(sums) :])))
        return tuple(found)

    def add(self, decided: Decided) -> None:
        """Add a decision in the place of the newest one about its payment and side."""
        key = (decided.inputs.screening.uetr, decided.inputs.screening.side)
        for total, amount in self._counted(self.known.get(key)).items():
            self._totals[total] -= amount
        for total, amount in self._counted(decided).items():
            self._totals[total] += amount
        self._new.append((decided, self.known.get(key)))
        self.known[key] = decided

    def write(self) -> None:
        """Write what was added."""
        if not self._new:
            return
        new = [decided for decided, _ in self._new]
        end = entries.frontier(self._connection)
        entries.append(self._connection, end, [each.record for each in new])
        rows = [(each, self._tags.parties(each.inputs.screening)) for each in new]
        repository.append(self._connection, end.size, rows)
        changed = {total: amount for total, amount in self._totals.items() if amount != self._before.get(total, 0)}
        repository.set_totals(self._connection, changed)
        cases.follow(self._connection, end.size, self._new)
        ask_by_rule(self._connection, new)
        self._count_day([each for each in new if each.number == 0])

    def _count_day(self, first: list[Decided]) -> None:
        """Statistics' share of screened payments: those of one list are of one day."""
        outcomes = Counter(each.verdict.outcome for each in first)
        cases.count_screened(self._connection, self._periods[0], outcomes)

    def _counted(self, decided: Decided | None) -> Mapping[Total, int]:
        """What a decision counts for: all that may still be paid by a debtor, in the day and year that it was asked
        in."""
        if decided is None or decided.inputs.screening.side != "debtor" or decided.verdict.outcome == REFUSE:
            return {}
        screening, facts = decided.inputs.screening, decided.inputs.facts
        corridor = corridor_of(facts.agent_countries) if facts.used else ""  # of before, none was counted
        tags = [self._tags.tag(screening, *scope) for scope in _scopes(corridor)]
        return {
            (tag, each.period, each.currency): decided.inputs.moved[each.currency]
            for each in facts.totals
            for tag in tags
        }


def _scopes(corridor: str) -> list[tuple[str, str]]:
    """The scopes in which a payment of a corridor counts; of no known corridor, the customer's alone."""
    return [(scope, corridor) for scope in (SCOPES if corridor else (CUSTOMER,))]
