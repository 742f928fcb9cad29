"""Statistics: what was alerted, how often wrongly by rule and list, and how long officers took. Series for charts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select

from compliance.alerts.repository import CLOSED, DUPLICATE, FALSE_POSITIVE, TRUE_MATCH
from compliance.cases.repository import OPEN, REFUSED, RELEASED
from compliance.chaintime import ChainTime
from compliance.limits import Calendar
from compliance.lists.tables import customer_alert_lists, customer_alerts
from compliance.screening.decide import HOLD, OUTCOMES
from compliance.tables import alerts, cases, screened_days
from contracts.terms.errors import Malformed
from serving.database import DatabaseReader

MOST_DAYS = 366
BUCKETS = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
"""Bounds in seconds between which times to decision are counted."""


@dataclass
class RuleCount:
    """What became of the alerts of a rule and list: `held` ones were `released`, `refused`, are `waiting`, or `ended`
    undecided at their deadline; the rest were refused at once."""

    rule: str
    list_name: str
    alerts: int = 0
    held: int = 0
    released: int = 0
    refused: int = 0
    waiting: int = 0
    ended: int = 0

    @property
    def false_per_thousand(self) -> int | None:
        """Of a thousand that officers decided, how many they released; None when they decided none."""
        decided = self.released + self.refused
        return 1000 * self.released // decided if decided else None


@dataclass
class CustomerCount:
    """What became of the alerts about customers who match since a list changed, of one list. Duplicates say nothing
    that another alert does not."""

    list_name: str
    alerts: int = 0
    open: int = 0
    true_matches: int = 0
    false_positives: int = 0
    duplicates: int = 0

    @property
    def false_per_thousand(self) -> int | None:
        """Of a thousand that officers closed, how many were false positives; None when they closed none."""
        decided = self.true_matches + self.false_positives
        return 1000 * self.false_positives // decided if decided else None


@dataclass(frozen=True)
class Times:
    """How long officers took, in seconds; `counts` are those up to each of BUCKETS, and the rest."""

    decided: int
    median: int | None
    ninth_decile: int | None
    longest: int | None
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Statistics:
    """Of local days from `first` on; each series has a figure a day."""

    zone: str
    days: tuple[str, ...]
    screened: dict[str, tuple[int, ...]]
    alerted: dict[str, tuple[int, ...]]
    rules: tuple[RuleCount, ...]
    customers: tuple[CustomerCount, ...]
    times: Times


@dataclass
class _Counts:
    by_rule: dict[tuple[str, str], RuleCount] = field(default_factory=dict)
    by_day: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    took: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, row: Row[Any], day: str, now: int) -> None:
        rule = self.by_rule.setdefault((row.rule, row.list), RuleCount(row.rule, row.list))
        rule.alerts += 1
        self.by_day[row.outcome][day] += 1
        if row.outcome != HOLD:
            return
        rule.held += 1
        rule.released += row.state == RELEASED
        rule.refused += row.state == REFUSED
        rule.waiting += row.state == OPEN and row.due >= now
        rule.ended += row.state == OPEN and row.due < now
        if row.closed_at:
            self.took[row.uetr, row.side] = row.closed_at - row.opened_at


class StatisticsService:
    """Counts; writes nothing. Raises ChainUnavailable when chain time is not known."""

    def __init__(self, database: DatabaseReader, calendar: Calendar, time: ChainTime) -> None:
        self._database, self._calendar, self._time = database, calendar, time

    def over(self, first: date | None, last: date | None) -> Statistics:
        """Of the days from `first` to `last`, by default the last thirty. Raises Malformed for more than a year."""
        now = self._time.now()
        last = last or self._calendar.date_of(now)
        first = first or last - timedelta(days=29)
        if not 0 <= (last - first).days < MOST_DAYS:
            raise Malformed(f"first and last: 1 to {MOST_DAYS} days in their order are needed")
        days = tuple((first + timedelta(days=each)).isoformat() for each in range((last - first).days + 1))
        counts = _Counts()
        with self._database.read() as connection:
            for row in connection.execute(_ALERTS, _around(first, last)):
                day = self._day(row.at)
                if days[0] <= day <= days[-1]:
                    counts.add(row, day, now)
            screened = _screened(connection, days)
            alerted = connection.execute(_CUSTOMERS, _around(first, last)).all()
        customers = _customers(row for row in alerted if days[0] <= self._day(row.made_at) <= days[-1])
        return Statistics(
            zone=self._calendar.zone,
            days=days,
            screened={outcome: tuple(screened[day, outcome] for day in days) for outcome in OUTCOMES},
            alerted={outcome: tuple(each[day] for day in days) for outcome, each in sorted(counts.by_day.items())},
            rules=tuple(each for _, each in sorted(counts.by_rule.items())),
            customers=customers,
            times=_times(counts.took.values()),
        )

    def _day(self, at: int) -> str:
        return self._calendar.date_of(at).isoformat()


def _customers(rows: Iterable[Row[Any]]) -> tuple[CustomerCount, ...]:
    counts = dict[str, CustomerCount]()
    for row in rows:
        count = counts.setdefault(row.list, CustomerCount(row.list))
        count.alerts += 1
        outcome = row.outcome if row.state == CLOSED else ""
        count.open += not outcome
        count.true_matches += outcome == TRUE_MATCH
        count.false_positives += outcome == FALSE_POSITIVE
        count.duplicates += outcome == DUPLICATE
    return tuple(each for _, each in sorted(counts.items()))


def _around(first: date, last: date) -> dict[str, int]:
    """Seconds that hold these days in whatever zone: a day more at each end."""
    start, end = (datetime(each.year, each.month, each.day, tzinfo=UTC).timestamp() for each in (first, last))
    return {"start": int(start) - 86_400, "end": int(end) + 2 * 86_400}


def _screened(connection: Connection, days: Sequence[str]) -> Counter[tuple[str, str]]:
    rows = connection.execute(_SCREENED, {"start": days[0], "end": days[-1]})
    return Counter({(row.day, row.outcome): row.payments for row in rows})


def _times(took: Iterable[int]) -> Times:
    ordered = sorted(took)
    if not ordered:
        return Times(0, None, None, None, (0,) * (len(BUCKETS) + 1))
    within = [sum(each <= bound for each in ordered) for bound in BUCKETS]
    counts = [upper - lower for lower, upper in zip([0, *within], [*within, len(ordered)], strict=True)]
    median, ninth = ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10]
    return Times(len(ordered), median, ninth, ordered[-1], tuple(counts))


_same = and_(cases.c.uetr == alerts.c.uetr, cases.c.side == alerts.c.side)
_ALERTS = (
    select(alerts, cases.c.state, cases.c.due, cases.c.opened_at, cases.c.closed_at)
    .outerjoin(cases, _same)
    .where(alerts.c.at >= bindparam("start"), alerts.c.at < bindparam("end"))
)
_CUSTOMERS = (
    select(customer_alert_lists.c.list, customer_alerts.c.state, customer_alerts.c.outcome, customer_alerts.c.made_at)
    .join(customer_alerts, customer_alerts.c.sequence == customer_alert_lists.c.alert)
    .where(customer_alerts.c.made_at >= bindparam("start"), customer_alerts.c.made_at < bindparam("end"))
)
_SCREENED = select(screened_days).where(
    screened_days.c.day >= bindparam("start"), screened_days.c.day <= bindparam("end")
)
