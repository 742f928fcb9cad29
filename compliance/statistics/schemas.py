"""Statistics at the door, in the form that charts take: days, and series of a figure a day."""

from __future__ import annotations

from pydantic import Field

from compliance.statistics.service import BUCKETS, CustomerCount, RuleCount, Statistics, Times
from serving.bodies import Schema


class Series(Schema):
    name: str
    values: tuple[int, ...] = Field(description="one a day")


class RuleView(Schema):
    """What became of the alerts of one rule, and for names of one list."""

    rule: str
    list: str = Field(description="empty for rules without a list")
    alerts: int
    held: int
    released: int
    refused: int
    waiting: int
    ended: int = Field(description="at their deadline, undecided")
    false_per_thousand: int | None = Field(description="of those that officers decided; null when they decided none")


class CustomersView(Schema):
    """What became of the alerts about customers who match since a list changed, of one list."""

    list: str
    alerts: int
    open: int = Field(description="also those that wait for a second officer")
    true_matches: int
    false_positives: int
    duplicates: int
    false_per_thousand: int | None = Field(description="of those closed as true or false; null when there are none")


class BucketView(Schema):
    up_to: int | None = Field(description="seconds; null for all that took longer")
    cases: int


class TimesView(Schema):
    """From a hold to what officers decided, in seconds."""

    decided: int
    median: int | None
    ninth_decile: int | None
    longest: int | None
    buckets: tuple[BucketView, ...]


class StatisticsView(Schema):
    zone: str
    days: tuple[str, ...]
    screened: tuple[Series, ...] = Field(description="payments by first outcome")
    alerted: tuple[Series, ...] = Field(description="alerts by outcome")
    rules: tuple[RuleView, ...]
    customers: tuple[CustomersView, ...]
    times: TimesView


def statistics_view(found: Statistics) -> StatisticsView:
    return StatisticsView(
        zone=found.zone,
        days=found.days,
        screened=_series(found.screened),
        alerted=_series(found.alerted),
        rules=tuple(map(_rule, found.rules)),
        customers=tuple(map(_customers, found.customers)),
        times=_times(found.times),
    )


def _series(found: dict[str, tuple[int, ...]]) -> tuple[Series, ...]:
    return tuple(Series(name=name, values=values) for name, values in found.items())


def _rule(found: RuleCount) -> RuleView:
    counts = {name: value for name, value in vars(found).items() if name != "list_name"}
    return RuleView(list=found.list_name, false_per_thousand=found.false_per_thousand, **counts)


def _customers(found: CustomerCount) -> CustomersView:
    counts = {name: value for name, value in vars(found).items() if name != "list_name"}
    return CustomersView(list=found.list_name, false_per_thousand=found.false_per_thousand, **counts)


def _times(found: Times) -> TimesView:
    buckets = zip((*BUCKETS, None), found.counts, strict=True)
    return TimesView(
        decided=found.decided,
        median=found.median,
        ninth_decile=found.ninth_decile,
        longest=found.longest,
        buckets=tuple(BucketView(up_to=bound, cases=count) for bound, count in buckets),
    )
