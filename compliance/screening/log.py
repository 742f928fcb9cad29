"""Writing the log of decisions, and beside it what debtor accounts moved on each chain day."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sqlalchemy import Connection

from compliance import repository
from compliance.client import Screening
from compliance.repository import Key, Total
from compliance.screening.decide import REFUSE
from compliance.screening.questions import SECONDS_A_DAY, Spent, moved
from compliance.screening.record import Decided
from contracts.terms.identifiers import Address


class AccountTags:
    """The names under which totals are kept: keyed, so that the database alone does not tell whose they are."""

    def __init__(self, secret: bytes) -> None:
        self._of = lru_cache(maxsize=65536)(lambda account: hmac.digest(secret, account.encode(), hashlib.sha256))

    def tag(self, screening: Screening) -> bytes:
        """The debtor account's; one for all questions that have none."""
        return self._of(screening.debtor.account if screening.debtor and screening.side == "debtor" else "")


class DecisionLog:
    """The end of the log within one transaction: `known` holds the newest decision by UETR and side.

    A decision takes the place of the one before it: of a payment and side only the newest counts towards a day. What
    was added is written by `write`, as one list.
    """

    def __init__(
        self, connection: Connection, account: Address, tags: AccountTags, about: Iterable[Screening], now: int
    ) -> None:
        self._connection, self._account, self._tags = connection, account, tags
        asked = list(about)
        self.known: dict[Key, Decided] = repository.decided(connection, [each.uetr for each in asked])
        self._length, self.head = repository.log_end(connection)
        days = {_day(now), *(_day(each.inputs.facts.asked_at) for each in self.known.values())}
        self._before = repository.totals(connection, days, {tags.tag(each) for each in asked})
        self._totals: dict[Total, int] = defaultdict(int, self._before)
        self._new = list[Decided]()

    def spent(self, screening: Screening, now: int) -> tuple[Spent, ...]:
        """What the debtor account moves on the day of `now` with other payments, in this one's currencies."""
        if screening.side != "debtor":
            return ()
        own = self._counted(self.known.get((screening.uetr, screening.side)))
        places = [(self._tags.tag(screening), _day(now), unit) for unit in sorted(moved(screening, self._account))]
        return tuple(Spent(place[2], self._totals[place] - own.get(place, 0)) for place in places)

    def add(self, decided: Decided) -> None:
        """Append a decision, made behind `head`, in the place of the newest one about its payment and side."""
        key = (decided.inputs.screening.uetr, decided.inputs.screening.side)
        for total, amount in self._counted(self.known.get(key)).items():
            self._totals[total] -= amount
        for total, amount in self._counted(decided).items():
            self._totals[total] += amount
        self.known[key], self.head = decided, decided.head
        self._new.append(decided)

    def write(self) -> None:
        """Write what was added."""
        repository.append(self._connection, self._length, self._new)
        changed = {total: amount for total, amount in self._totals.items() if amount != self._before.get(total, 0)}
        repository.set_totals(self._connection, changed)

    def _counted(self, decided: Decided | None) -> Mapping[Total, int]:
        """What a decision counts for: all that may still be paid from a debtor account."""
        if decided is None or decided.inputs.screening.side != "debtor" or decided.verdict.outcome == REFUSE:
            return {}
        screening, day = decided.inputs.screening, _day(decided.inputs.facts.asked_at)
        tag = self._tags.tag(screening)
        return {(tag, day, unit): amount for unit, amount in moved(screening, self._account).items()}


def _day(time: int) -> int:
    return time // SECONDS_A_DAY
