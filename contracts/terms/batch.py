"""A batch: many payments settled as one net movement between its members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.terms.attestation import Attestation
from contracts.terms.identifiers import Address, Hash
from contracts.terms.money import SignedMinorUnits
from contracts.terms.payment import PaymentTerms

MAX_BATCHES_PER_CALL = 8
MAX_MEMBERS = 16
MAX_POSITIONS = 64
LANES = 8
MAX_BATCH_LIFETIME = 15
"""Seconds of chain time: no member signs a batch whose deadline is later than this from now."""


@dataclass(frozen=True)
class Position:
    """What a batch adds to (or, negative, takes from) one member's balance in one currency, in minor units."""

    account: Address
    currency: int
    delta: SignedMinorUnits


@dataclass(frozen=True)
class Place:
    """Where a batch stands for ever: the key of its hash in the Settlement contract."""

    debtor_agent: Address
    lane: int
    sequence: int


@dataclass(frozen=True)
class Batch:
    """The EIP-712 struct `Batch`. `members` ascending and unique; `positions` ascending by (currency, account)."""

    debtor_agent: Address
    lane: int
    sequence: int
    payments_root: Hash
    payment_count: int
    members: tuple[Address, ...]
    positions: tuple[Position, ...]
    deadline: int

    @property
    def place(self) -> Place:
        return Place(self.debtor_agent, self.lane, self.sequence)


@dataclass(frozen=True)
class Endorsement:
    """One member's two signatures (65 bytes each, r || s || v): the batch by its settlement key, the attestation
    by its compliance key."""

    settlement_signature: bytes
    attestation: Attestation
    attestation_signature: bytes


@dataclass(frozen=True)
class SignedBatch:
    """A batch that can be settled: `endorsements[i]` is that of `batch.members[i]`."""

    batch: Batch
    endorsements: tuple[Endorsement, ...]


def net_positions(payments: Iterable[PaymentTerms]) -> tuple[Position, ...]:
    """The sum of all legs per member and currency, zero sums left out, in the order the contract asks for."""
    sums: dict[tuple[int, Address], int] = defaultdict(int)
    for payment in payments:
        for leg in payment.legs:
            sums[leg.currency, leg.source] -= leg.amount
            sums[leg.currency, leg.target] += leg.amount
    return tuple(Position(account, unit, delta) for (unit, account), delta in sorted(sums.items()) if delta)


def members_of(payments: Iterable[PaymentTerms]) -> tuple[Address, ...]:
    """Every institution named in the payments, ascending."""
    return tuple(sorted(frozenset[Address]().union(*(payment.members() for payment in payments))))
