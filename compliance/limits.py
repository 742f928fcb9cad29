"""Limits: the most that may move, for whom, in what time, and from which day on.

A customer has limits in all, and may have others in a corridor, the pair of countries of the two agents; all customers
of a corridor may have limits together. Days and years begin in the policy's zone. A limit is in force from its date
until that of the next one about the same, so that a decision of then is judged by the limit of then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.terms.errors import FeiqianError, Malformed
from contracts.terms.money import currency, payable

PAYMENT, DAY, YEAR = "payment", "day", "year"
CUSTOMER, CUSTOMER_IN_CORRIDOR, CORRIDOR = "customer", "customer-in-corridor", "corridor"
SCOPES = (CUSTOMER, CUSTOMER_IN_CORRIDOR, CORRIDOR)
ALWAYS = date.min
"""From when a limit is in force that names no date."""

_CORRIDOR = re.compile(r"[A-Z]{2}-[A-Z]{2}", re.ASCII)
_OF_ALL = "all_"
_OWED = {PAYMENT, DAY}
_IN_CORRIDOR = {PAYMENT, DAY, YEAR, _OF_ALL + DAY, _OF_ALL + YEAR}


@dataclass(frozen=True)
class Calendar:
    """When days and years begin: at midnight in an IANA time zone."""

    zone: str = "UTC"

    def date_of(self, time: int) -> date:
        """The local date of a second of chain time."""
        return _date_of(time, self.zone)


@dataclass(frozen=True)
class Limits:
    """What is in force from a date on, in minor units, by scope and what it is about: a payment, a day or a year."""

    since: date
    most: Mapping[tuple[str, str], int]

    @property
    def yearly(self) -> bool:
        return any(length == YEAR for _, length in self.most)

    @property
    def payment(self) -> int:
        """A customer's, of one payment."""
        return self.most[CUSTOMER, PAYMENT]

    @property
    def day(self) -> int:
        """A customer's, of a day."""
        return self.most[CUSTOMER, DAY]


@dataclass(frozen=True)
class LimitBook:
    """All limits, the oldest first: of customers by currency (ISO 4217 numeric), of corridors by both."""

    of_customers: Mapping[int, tuple[Limits, ...]]
    of_corridors: Mapping[tuple[str, int], tuple[Limits, ...]]

    @property
    def undated(self) -> bool:
        """Whether this is of a policy from before limits had dates, years and corridors."""
        known = [each for limits in self.of_customers.values() for each in limits]
        return not self.of_corridors and all(each.since == ALWAYS and not each.yearly for each in known)

    def in_force(self, day: date, unit: int, corridor: str) -> Mapping[tuple[str, str], int] | None:
        """What holds on a day for a currency in a corridor; None where the policy has no limits, so nothing is paid."""
        general = _newest(self.of_customers.get(unit, ()), day)
        if general is None:
            return None
        special = _newest(self.of_corridors.get((corridor, unit), ()), day)
        return {**general.most, **special.most} if special else general.most


def corridor_of(countries: tuple[str, ...]) -> str:
    """The corridor between the agents' countries, such as "CN-TH"; empty where one is not known."""
    return "-".join(countries) if len(countries) == 2 and all(countries) else ""


def read_calendar(section: Any) -> Calendar:
    """The section `calendar`. Raises Malformed."""
    if not isinstance(section, dict) or section.keys() != {"zone"} or not isinstance(section["zone"], str):
        raise Malformed("calendar: exactly zone is needed, the IANA name of a time zone such as Asia/Bangkok")
    try:
        _zone(section["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise Malformed(f"calendar.zone: {section['zone'][:40]!r} is no IANA time zone") from failure
    return Calendar(section["zone"])


def read_limits(customers: Any, corridors: Any) -> LimitBook:
    """The sections `limits` and `corridors`. Raises Malformed."""
    if not isinstance(customers, dict) or not customers:
        raise Malformed("limits: a section for each currency is needed, such as [[limits.THB]]")
    if not isinstance(corridors, dict):
        raise Malformed("corridors: sections such as [[corridors.CN-TH.THB]] are needed")
    found = {}
    for name, currencies in corridors.items():
        if not _CORRIDOR.fullmatch(name) or not isinstance(currencies, dict):
            raise Malformed(f"corridors.{name[:20]}: two countries and a currency are needed, as in CN-TH.THB")
        for unit, limits in _by_currency(currencies, f"corridors.{name}", _IN_CORRIDOR, set(), CUSTOMER_IN_CORRIDOR):
            found[name, unit] = limits
    return LimitBook(dict(_by_currency(customers, "limits", {PAYMENT, DAY, YEAR}, _OWED, CUSTOMER)), found)


def _by_currency(
    section: Mapping[str, Any], where: str, known: set[str], owed: set[str], scope: str
) -> Iterator[tuple[int, tuple[Limits, ...]]]:
    for code, entry in section.items():
        place = f"{where}.{code[:20]}"
        try:
            unit = currency(code)
        except FeiqianError as failure:
            raise Malformed(f"{place}: {failure.detail}") from failure
        # One table is a limit without a date, as every policy had them before there were dates.
        entries = entry if isinstance(entry, list) else [{"from": ALWAYS, **entry} if isinstance(entry, dict) else {}]
        limits = [_limits(each, place, known, owed, scope) for each in entries]
        dates = [each.since for each in limits]
        if not limits or sorted(set(dates)) != dates:
            raise Malformed(f"{place}: each limit has a date of its own, and the oldest stands first")
        yield unit.numeric, tuple(limits)


def _limits(entry: Any, where: str, known: set[str], owed: set[str], scope: str) -> Limits:
    names = entry.keys() - {"from"} if isinstance(entry, dict) else set()
    if not names or not owed <= names <= known:
        needed = f"{', '.join(sorted(owed))} are needed, " if owed else ""
        raise Malformed(f"{where}: {needed}any of {', '.join(sorted(known))} may stand")
    if type(entry.get("from")) is not date:
        raise Malformed(f"{where}.from: the date from which it is in force is needed, such as 2026-01-31")
    return Limits(
        entry["from"], {_place(name, scope): _amount(entry[name], f"{where}.{name}") for name in sorted(names)}
    )


def _place(name: str, scope: str) -> tuple[str, str]:
    return (CORRIDOR, name.removeprefix(_OF_ALL)) if name.startswith(_OF_ALL) else (scope, name)


def _amount(value: Any, where: str) -> int:
    if type(value) is not int:
        raise Malformed(f"{where}: an integer of minor units is needed")
    try:
        return payable(value)
    except FeiqianError as failure:
        raise Malformed(f"{where}: {failure.detail}") from failure


def _newest(limits: tuple[Limits, ...], day: date) -> Limits | None:
    return next((each for each in reversed(limits) if each.since <= day), None)


@lru_cache(maxsize=4096)
def _date_of(time: int, zone: str) -> date:
    """A list of payments is asked about in one second."""
    return datetime.fromtimestamp(time, UTC if zone == "UTC" else _zone(zone)).date()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
