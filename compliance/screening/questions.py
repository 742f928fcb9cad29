"""What a decision is made from: the question asked, and the facts that were looked up to answer it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, cast

from compliance.client import Screening
from compliance.limits import DAY, YEAR, Calendar
from compliance.names.normalise import MAX_NAME, words
from contracts.terms.documents import LATER, to_document
from contracts.terms.errors import Conflict, Malformed
from contracts.terms.identifiers import Address, Hash, address, uetr
from contracts.terms.money import MinorUnits, currency, payable
from contracts.terms.parties import Party

MAX_LEGS = 8
_SIDES = ("debtor", "creditor", "provider")
_KINDS = ("person", "organization")
_COUNTRY = re.compile(r"[A-Z]{2}|", re.ASCII)
_MAX_ACCOUNT = 140
_GENDERS = ("", "male", "female")
_IDENTIFICATION = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{0,34}|", re.ASCII | re.IGNORECASE)
"""ISO 20022 Max35Text."""


@dataclass(frozen=True)
class Spent:
    """What a debtor account already moved in one currency on the chain day of UTC, in minor units: what decisions
    stored before there were years and corridors. `Facts.totals` tells it like the others."""

    currency: int
    amount: MinorUnits


@dataclass(frozen=True)
class Used:
    """What other payments already moved in a local day ("2026-11-29") or a year ("2026"), in minor units: those of the
    same customer, of the same customer in the same corridor, and of all customers in it. 0 in an unknown corridor."""

    period: str
    currency: int
    customer: MinorUnits
    in_corridor: MinorUnits
    corridor: MinorUnits

    @property
    def by_scope(self) -> tuple[int, int, int]:
        """In the order of `compliance.limits.SCOPES`."""
        return self.customer, self.in_corridor, self.corridor


@dataclass(frozen=True)
class Review:
    """What an officer did about a held payment, at which second of chain time; or that the other agent answered.

    `officer` is the subject of the officer's tokens, which is no name and never changes. `entries` are the matches that
    stood before the officer, as `PartyMatch.reference` names them; `note` is the salted commitment to what the officer
    wrote, which may name people and is kept elsewhere.
    """

    officer: str
    action: str
    at: int
    entries: tuple[str, ...]
    note: Hash


@dataclass(frozen=True)
class Facts:
    """Looked up when the question was asked, and what officers did since. Times in seconds of chain time; the
    countries are both agents', from the registry on chain, empty where it has none. `used` is what counts against the
    limits of a debtor. `held_until` is the deadline of a hold that lasts since an earlier decision, else 0."""

    asked_at: int
    agent_countries: tuple[str, ...]
    spent: tuple[Spent, ...]
    reviews: tuple[Review, ...] = ()
    held_until: int = 0
    used: tuple[Used, ...] = field(default=(), metadata=LATER)

    @cached_property
    def totals(self) -> tuple[Used, ...]:
        """What counts against limits, also of a decision that knew one limit alone."""
        if self.used:
            return self.used
        day = Calendar().date_of(self.asked_at)
        periods = [period_of(day, length) for length in (DAY, YEAR)]
        legacy = (Used(period, each.currency, each.amount, 0, 0) for each in self.spent for period in periods)
        return tuple(legacy)

    @property
    def decided_at(self) -> int:
        """When the last of them became known."""
        return max([self.asked_at, *(review.at for review in self.reviews)])


@dataclass(frozen=True)
class Inputs:
    """Everything a decision follows from, beside the policy and the lists."""

    account: Address
    screening: Screening
    facts: Facts

    @cached_property
    def moved(self) -> Mapping[int, int]:
        """Minor units per currency that the payment moves through the own account."""
        return moved(self.screening, self.account)

    @cached_property
    def document(self) -> dict[str, Any]:
        """Their JSON form, which is committed to and stored."""
        return cast(dict[str, Any], to_document(self))


def period_of(day: date, length: str) -> str:
    """The name of a day, or of its year."""
    return day.isoformat() if length == DAY else f"{day.year:04}"


def moved(screening: Screening, account: Address) -> Mapping[int, int]:
    """Minor units per currency that the payment moves through `account`: out of it on the debtor's side, into it on
    the creditor's, either way on the provider's."""
    sums: dict[int, int] = defaultdict(int)
    for leg in screening.legs:
        out, into = leg.source == account, leg.target == account
        if (out and screening.side != "creditor") or (into and screening.side != "debtor"):
            sums[leg.currency] += leg.amount
    return sums


def own_party(screening: Screening) -> Party | None:
    """The party that the asking institution answers for: its own customer."""
    return {"debtor": screening.debtor, "creditor": screening.creditor}.get(screening.side)


def check_attempt(asked: Screening, newest: Screening | None) -> None:
    """Refuse a question that contradicts the newest one about its payment and side. Raises Conflict."""
    expected = 0 if newest is None else newest.attempt + 1
    if asked.attempt > expected:
        raise Conflict(f"attempt {asked.attempt} was asked before attempt {expected}")
    if newest is None:
        return
    if asked.attempt < newest.attempt:
        raise Conflict(f"this payment was priced anew: its attempt is {newest.attempt}")
    if asked.attempt == newest.attempt and asked != newest:
        raise Conflict("this payment and side was screened before with another content")
    if _unpriced(asked) != _unpriced(newest):
        raise Conflict("only the amounts of the legs may differ from the attempt before")


def _unpriced(screening: Screening) -> Screening:
    return replace(screening, attempt=0, legs=tuple(replace(leg, amount=0) for leg in screening.legs))


def check_screening(screening: Screening, account: Address) -> None:
    """Refuse a question that cannot be answered for `account`. Raises Malformed (or its BadAmount, UnknownCurrency)."""
    uetr(screening.uetr)
    if screening.side not in _SIDES:
        raise Malformed(f"side is one of {', '.join(_SIDES)}")
    if screening.attempt < 0:
        raise Malformed("attempt: counted from 0")
    agents = {"debtor": screening.debtor_agent, "creditor": screening.creditor_agent}
    for name, agent in agents.items():
        if address(agent) != agent:
            raise Malformed(f"{name}_agent: addresses are written in lower case")
    if agents.get(screening.side, account) != account:
        raise Malformed(f"the {screening.side} agent is another institution")
    _check_parties(screening)
    _check_legs(screening, account)


def _check_parties(screening: Screening) -> None:
    for role, party in (("debtor", screening.debtor), ("creditor", screening.creditor)):
        if party is not None:
            check_party(role, party)
        elif screening.side != "provider":
            raise Malformed(f"{role}: both parties are needed to screen an agent's side")
    if screening.side == "debtor" and screening.debtor is not None and not screening.debtor.account:
        raise Malformed("debtor.account: needed for the limits of the day")


def check_party(role: str, party: Party) -> None:
    """Refuse a party that cannot be screened. Raises Malformed; `role` names it in the message."""
    if len(party.name) > MAX_NAME:
        raise Malformed(f"{role}.name: at most {MAX_NAME} characters (ISO 20022 Max140Text)")
    if party.kind not in _KINDS:
        raise Malformed(f"{role}.kind is {' or '.join(_KINDS)}")
    if not any(each.isalpha() for word in words(party.name, party.kind) for each in word):
        raise Malformed(f"{role}.name: a name without letters cannot be screened")
    if not (_COUNTRY.fullmatch(party.country) and _COUNTRY.fullmatch(party.nationality)):
        raise Malformed(f"{role}: country and nationality are ISO 3166-1 codes of two capital letters, or empty")
    if len(party.account) > _MAX_ACCOUNT:
        raise Malformed(f"{role}.account: at most {_MAX_ACCOUNT} characters")
    if party.gender not in _GENDERS:
        raise Malformed(f"{role}.gender is male or female, or empty")
    if not _IDENTIFICATION.fullmatch(party.identification):
        raise Malformed(f"{role}.identification: at most 35 letters, digits, spaces and ./- (ISO 20022 Max35Text)")
    if party.birth_date:
        _check_date(role, party.birth_date)


def _check_date(role: str, text: str) -> None:
    try:
        written = date.fromisoformat(text).isoformat()
    except ValueError:
        written = ""
    if written != text:
        raise Malformed(f"{role}.birth_date: an ISO 8601 date such as 1980-12-31 is needed")


def _check_legs(screening: Screening, account: Address) -> None:
    if not 0 < len(screening.legs) <= MAX_LEGS:
        raise Malformed(f"legs: 1 to {MAX_LEGS} are needed")
    for leg in screening.legs:
        payable(leg.amount)
        currency(leg.currency)
        if account not in (leg.source, leg.target):
            raise Malformed("legs: only those that touch the own account are asked about")
    if not moved(screening, account):
        raise Malformed(f"legs: none moves money as the {screening.side}'s side does")
