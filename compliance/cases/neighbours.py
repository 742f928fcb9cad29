"""The neighbourhood of a payment: what else its debtor and its creditor paid and got, as far as we screened it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from compliance import repository
from compliance.repository import Key, Tags
from compliance.screening.decide import REFUSE
from compliance.screening.questions import moved
from compliance.screening.record import Decided
from contracts.terms.parties import Party

MOST_PAYMENTS = 200
"""Payments that are looked at, the newest; an officer needs no more to see a pattern."""


@dataclass(frozen=True)
class Neighbour:
    """Another party of the same customer's payments. `paid` are minor units by ISO 4217 numeric code of what was not
    refused, `outcomes` how many payments ended how; times in seconds of chain time."""

    party: Party | None
    payments: int
    paid: Mapping[int, int]
    outcomes: Mapping[str, int]
    first_at: int
    last_at: int


@dataclass(frozen=True)
class Neighbourhood:
    """Whom a party paid and by whom it was paid, the most frequent first; `more` where older payments were left out."""

    paid_to: tuple[Neighbour, ...]
    paid_by: tuple[Neighbour, ...]
    more: bool


@dataclass
class _Edge:
    party: Party | None = None
    times: list[int] = field(default_factory=list)
    paid: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, decided: Decided, party: Party | None) -> None:
        self.party = self.party or party
        self.times.append(decided.inputs.facts.asked_at)
        self.outcomes[decided.verdict.outcome] += 1
        if decided.verdict.outcome != REFUSE:
            self.paid.update(moved(decided.inputs.screening, decided.inputs.account))

    def neighbour(self) -> Neighbour:
        return Neighbour(
            self.party, len(self.times), dict(self.paid), dict(self.outcomes), min(self.times), max(self.times)
        )


def neighbourhood(connection: Connection, about: Key, tag: bytes) -> Neighbourhood:
    """That of the party of this tag, without the payment itself."""
    found = repository.of_party(connection, tag, MOST_PAYMENTS + 1)
    others = [each for each in found[:MOST_PAYMENTS] if each[0] != about]
    paid_to = ((tags[1], each, each.inputs.screening.creditor) for _, tags, each in others if tags[0] == tag)
    paid_by = ((tags[0], each, each.inputs.screening.debtor) for _, tags, each in others if tags[1] == tag)
    return Neighbourhood(_grouped(paid_to), _grouped(paid_by), len(found) > MOST_PAYMENTS)


def own_tags(tags: Tags) -> Sequence[tuple[str, bytes]]:
    """The parties that a payment has, by role."""
    return [(role, tag) for role, tag in zip(("debtor", "creditor"), tags, strict=True) if tag is not None]


def _grouped(edges: Iterable[tuple[bytes | None, Decided, Party | None]]) -> tuple[Neighbour, ...]:
    found: dict[bytes | None, _Edge] = defaultdict(_Edge)
    for tag, decided, party in edges:
        found[tag].add(decided, party)
    return tuple(sorted((each.neighbour() for each in found.values()), key=lambda each: -each.payments))
