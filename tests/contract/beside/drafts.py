"""Batches that should settle, by luck.

A draft is made against a book of projected positions, so that most batches of a campaign are good to the last unit;
a campaign of refusals would test little. What a wrong one is refused for, the model says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from contracts.terms.batch import Batch, Position
from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address, Hash
from contracts.terms.merkle import MerkleTree
from tests.contract.beside.ground import CURRENCIES
from tests.contract.beside.wire import address
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import ACTIVE, COMPLIANCE, MEMBER_ROLES, SETTLEMENT, Participants
from tests.contract.model.settlement import Attestation, Endorsement, Settlement, Signed
from tests.contract.model.world import Signature

# Hypothesis draws a seed a move, not each choice within it: an example of thousands of choices overruns its buffer, and
# it varies those that do not by copying parts of them, which makes the same few batches over and over.
LUCK = st.randoms(use_true_random=True)
POLICY, LOG_HEAD = keccak(b"policy"), keccak(b"log")
LIFETIME = 15
EDGE = 2**127
FORMS = ("high s", "v 0", "v 29", "no point")


def pick(luck: Random, *choices: Any) -> Any:
    return luck.choice(choices)


@cache
def leaves(count: int) -> tuple[Hash, ...]:
    return tuple(keccak(b"leaf %d" % number) for number in range(count))


@cache
def root(count: int) -> Hash:
    return MerkleTree(leaves(count)).root


class Book:
    """Net positions and caps as they would be after the batches drafted so far."""

    def __init__(self, ledger: Ledger) -> None:
        self._caps, self._net = ledger.caps.copy(), ledger.net.copy()
        self._deltas: dict[tuple[int, Address], int] = defaultdict(int)

    def room(self, account: Address, currency: int) -> int:
        """What the account may still pay in this batch: what it has, and what a position can say (int128)."""
        held = self._net[account, currency] + self._caps[account, currency]
        return max(0, min(held, EDGE - 1 + self._deltas[currency, account]))

    def move(self, payer: Address, payee: Address, currency: int, amount: int) -> None:
        if payer != payee and self._deltas[currency, payee] + amount < EDGE:
            for account, delta in ((payer, -amount), (payee, amount)):
                self._net[account, currency] += delta
                self._deltas[currency, account] += delta

    def close_batch(self) -> dict[tuple[int, Address], int]:
        """The batch's deltas by (currency, account); the next batch begins."""
        closed, self._deltas = self._deltas, defaultdict(int)
        return closed


def living_keys(register: Participants, account: Address, purpose: int) -> list[Address]:
    """The keys that sign for an account now: more than one while an old one overlaps."""
    return [key for key in register.keys if isinstance(key, str) and register.holder(key, purpose) == account]


def fit(register: Participants) -> list[Address]:
    """Who may stand in a batch now."""
    return [
        account
        for account, record in register.records.items()
        if record.status == ACTIVE
        and record.roles & MEMBER_ROLES
        and all(living_keys(register, account, purpose) for purpose in (SETTLEMENT, COMPLIANCE))
    ]


def draft(
    luck: Random, settlement: Settlement, book: Book, payers: Sequence[Address] = (), moves: int | None = None
) -> Batch:
    """A batch of the next sequence of some lane (-1 for the caller to set) that the book can bear."""
    able = fit(settlement.participants)
    agent = pick(luck, *(payers or able))
    members = {agent}
    for _ in range(luck.randint(0, 3) if moves is None else moves):
        currency, payer, payee = pick(luck, *CURRENCIES), pick(luck, *payers, *able), pick(luck, *able)
        room = book.room(payer, currency)
        book.move(payer, payee, currency, min(room, pick(luck, room, 1, 100, 70_000, 0)))
        members |= {payer, payee}
    if luck.random() < 0.5:
        members.add(pick(luck, *able))
    zero_too = luck.random() < 0.5
    deltas = sorted(book.close_batch().items())
    positions = [Position(account, currency, delta) for (currency, account), delta in deltas if delta or zero_too]
    count = luck.randint(1, 5)
    return Batch(
        debtor_agent=agent,
        lane=luck.randint(0, 7) if luck.random() < 0.5 else 0,
        sequence=-1,
        payments_root=root(count),
        payment_count=count,
        members=tuple(sorted(members)),
        positions=tuple(position for position in positions if position.account in members),
        deadline=settlement.world.now + pick(luck, LIFETIME, 0, 1),
    )


def pays(settlement: Settlement, payer: Address, payee: Address, currency: int, amount: int) -> Batch:
    """A batch in which one pays another, whether it can or not; its sequence is for the caller to set."""
    moved = min(amount, EDGE - 1)
    return Batch(
        debtor_agent=payer,
        lane=0,
        sequence=-1,
        payments_root=root(1),
        payment_count=1,
        members=tuple(sorted((payer, payee))),
        positions=tuple(Position(each, currency, delta) for each, delta in sorted([(payer, -moved), (payee, moved)])),
        deadline=settlement.world.now + LIFETIME,
    )


def numbered(settlement: Settlement, batches: Sequence[Batch]) -> list[Batch]:
    """The batches with the next sequences of their lanes, in order."""
    following: dict[tuple[Address, int], int] = {}
    placed = []
    for batch in batches:
        lane = (batch.debtor_agent, batch.lane)
        sequence = following.setdefault(lane, settlement.next_sequence(*lane))
        following[lane] += 1
        placed.append(replace(batch, sequence=sequence))
    return placed


def endorse(luck: Random, settlement: Settlement, batch: Batch) -> Signed:
    """The batch with both signatures of each member, each by one of its living keys."""
    until = settlement.world.now + pick(luck, LIFETIME, 0)
    return Signed(batch, tuple(endorsement(luck, settlement, batch, each, until) for each in batch.members))


def endorsement(luck: Random, settlement: Settlement, batch: Batch, member: Address, until: int) -> Endorsement:
    def key(purpose: int) -> Address:
        return pick(luck, *living_keys(settlement.participants, member, purpose) or [address("nobody's key")])

    attestation = Attestation(batch, POLICY, LOG_HEAD, until)
    return Endorsement(
        Signature(key(SETTLEMENT), settlement.domain, batch),
        POLICY,
        LOG_HEAD,
        until,
        Signature(key(COMPLIANCE), settlement.domain, attestation),
    )
