"""Settlement: batches of one call settle together, in order, or none does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from contracts.terms.batch import Batch
from contracts.terms.identifiers import Address, Hash
from contracts.terms.merkle import InclusionPath, includes
from tests.contract.model.council import Council
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import Participants
from tests.contract.model.world import NOBODY, STRANGER, Call, Contract, Refused, Signature, World, require, signer

LANES = 8


@dataclass(frozen=True)
class Attestation:
    """What a compliance key signs about a batch."""

    batch: Batch
    policy: Hash
    log_head: Hash
    valid_until: int


@dataclass(frozen=True)
class Endorsement:
    """A member's two signatures, and what its attestation claims to say."""

    settlement: Signature
    policy: Hash
    log_head: Hash
    valid_until: int
    compliance: Signature


@dataclass(frozen=True)
class Signed:
    """A batch; `endorsements[i]` is meant to be that of `batch.members[i]`."""

    batch: Batch
    endorsements: tuple[Endorsement, ...]


Place = tuple[Address, int, int]


def place_of(batch: Batch) -> Place:
    return batch.debtor_agent, batch.lane, batch.sequence


class Settlement(Contract):
    def __init__(
        self,
        world: World,
        address: Address,
        council: Address,
        participants: Address,
        ledger: Address,
        predecessor: Address,
    ) -> None:
        super().__init__(world, address)
        self._council, self._participants, self._ledger = council, participants, ledger
        self.predecessor = predecessor
        self.batches: dict[Place, Batch] = {}
        """What was settled here; equal batches have equal hashes and no others."""

    def settle(self, sender: Address, batches: tuple[Signed, ...]) -> None:
        require(not self.council.paused, "settlement: paused")
        settled = [signed.batch for signed in batches if self._settle_one(signed)]
        for batch in settled:
            self.ledger.check(self.address, batch.positions)

    def verify(self, batch: Batch, leaf: Hash, path: InclusionPath) -> bool:
        """Whether the leaf stands in a settled batch; how many leaves there are, the batch says."""
        counted = replace(path, count=batch.payment_count)
        return self._is_settled(batch) and includes(batch.payments_root, leaf, counted)

    def would_settle(self, batches: tuple[Signed, ...]) -> str:
        try:
            self.world.attempt(STRANGER, Call(self.address, "settle", (batches,)))
        except Refused as refusal:
            return refusal.reason or "settlement: no reason"
        return ""

    def batch_at(self, place: Place) -> Batch | None:
        """The batch settled at a place, here or in a predecessor."""
        if place in self.batches or self.predecessor == NOBODY:
            return self.batches.get(place)
        return self._before.batch_at(place)

    def next_sequence(self, debtor_agent: Address, lane: int) -> int:
        own = [place[2] for place in self.batches if place[:2] == (debtor_agent, lane)]
        if own or self.predecessor == NOBODY:
            return max(own) + 1 if own else 0
        return self._before.next_sequence(debtor_agent, lane)

    def _is_settled(self, batch: Batch) -> bool:
        return self.batch_at(place_of(batch)) == batch

    def _settle_one(self, signed: Signed) -> bool:
        batch = signed.batch
        if self._is_settled(batch):
            return False
        require(batch.payment_count > 0 and len(batch.members) > 0, "settlement: empty batch")
        require(batch.lane < LANES, "settlement: lane")
        require(batch.sequence == self.next_sequence(batch.debtor_agent, batch.lane), "settlement: sequence")
        require(self.world.now <= batch.deadline, "settlement: deadline")
        require(batch.debtor_agent in batch.members, "settlement: members")
        require(all(one < other for one, other in pairwise((NOBODY, *batch.members))), "settlement: members")
        require(len(signed.endorsements) == len(batch.members), "settlement: members")
        self._require_endorsed(signed)
        self._require_balanced(batch)
        self.batches[place_of(batch)] = batch
        self.ledger.apply(self.address, batch.positions)
        return True

    def _require_endorsed(self, signed: Signed) -> None:
        batch, signers = signed.batch, []
        for one in signed.endorsements:
            attestation = Attestation(batch, one.policy, one.log_head, one.valid_until)
            settles = signer(one.settlement, self.domain, batch)
            attests = signer(one.compliance, self.domain, attestation)
            require(NOBODY not in (settles, attests), "settlement: signature")
            require(one.valid_until >= self.world.now, "settlement: attestation expired")
            signers.append((settles, attests))
        for member, (settles, attests) in zip(batch.members, signers, strict=True):
            self.participants.check_member(member, settles, attests)

    @staticmethod
    def _require_balanced(batch: Batch) -> None:
        """Each currency's sum is judged where the next currency begins, the last one's at the end."""
        last, total = (0, NOBODY), 0
        for position in batch.positions:
            place = (position.currency, position.account)
            require(place > last, "settlement: positions")
            require(position.account in batch.members, "settlement: position of a non-member")
            require(position.currency == last[0] or total == 0, "settlement: not zero-sum")
            total, last = total + position.delta, place
        require(total == 0, "settlement: not zero-sum")

    @property
    def council(self) -> Council:
        return self.world.contracts[self._council]  # type: ignore[return-value]

    @property
    def participants(self) -> Participants:
        return self.world.contracts[self._participants]  # type: ignore[return-value]

    @property
    def ledger(self) -> Ledger:
        return self.world.contracts[self._ledger]  # type: ignore[return-value]

    @property
    def _before(self) -> Settlement:
        return self.world.contracts[self.predecessor]  # type: ignore[return-value]
