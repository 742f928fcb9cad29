"""Council: M of N governors propose, approve and, after a delay, execute. The rest obeys its address alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.terms.identifiers import Address
from tests.contract.model.world import NOBODY, Call, Contract, Signature, World, require, signer

OPEN, CANCELLED, EXECUTED = 1, 2, 4


@dataclass(frozen=True)
class Proposal:
    """`executable_at` is 0 while the quorum has not approved. `calls` stand for their hash: equal or not."""

    proposer: Address
    epoch: int
    calls: tuple[Call, ...]
    approved: frozenset[Address] = frozenset()
    withdrew: frozenset[Address] = frozenset()
    executable_at: int = 0
    state: int = OPEN


@dataclass(frozen=True)
class Approval:
    """What a governor signs off chain."""

    proposal: int
    calls: tuple[Call, ...]
    epoch: int


class Council(Contract):
    def __init__(
        self, world: World, address: Address, governors: tuple[Address, ...], quorum: int, delay: int, guardian: Address
    ) -> None:
        super().__init__(world, address)
        self.delay, self.guardian, self.paused, self.epoch = delay, guardian, False, 0
        self.proposals: list[Proposal] = []
        self._appoint(governors, quorum)

    def propose(self, sender: Address, targets: tuple[Address, ...], calls: tuple[Call, ...]) -> int:
        require(sender in self.governors, "council: not a governor")
        require(len(targets) > 0, "council: empty proposal")
        require(len(targets) == len(calls), "council: targets and calls differ")
        self.proposals.append(Proposal(sender, self.epoch, calls))
        self._approve(len(self.proposals) - 1, sender)
        return len(self.proposals) - 1

    def approve(self, sender: Address, number: int, calls: tuple[Call, ...]) -> None:
        require(sender in self.governors, "council: not a governor")
        self._require_open(number)
        require(calls == self.proposals[number].calls, "council: other calls")
        require(sender not in self.proposals[number].approved, "council: already approved")
        self._approve(number, sender)

    def approve_by_signature(self, sender: Address, number: int, signatures: tuple[Signature, ...]) -> None:
        self._require_open(number)
        proposal, new = self.proposals[number], 0
        for signature in signatures:
            governor = signer(signature, self.domain, Approval(number, proposal.calls, proposal.epoch))
            require(governor != NOBODY, "council: signature")
            require(governor in self.governors, "council: not a governor")
            if governor not in self.proposals[number].approved | proposal.withdrew:
                self._approve(number, governor)
                new += 1
        require(new > 0, "council: already approved")

    def withdraw(self, sender: Address, number: int) -> None:
        require(sender in self.governors, "council: not a governor")
        self._require_open(number)
        proposal = self.proposals[number]
        require(sender in proposal.approved, "council: not approved")
        left = proposal.approved - {sender}
        due = proposal.executable_at if len(left) >= self.quorum else 0
        self.proposals[number] = replace(
            proposal, approved=left, withdrew=proposal.withdrew | {sender}, executable_at=due
        )

    def cancel(self, sender: Address, number: int) -> None:
        self._require_open(number)
        require(sender == self.proposals[number].proposer, "council: not the proposer")
        self.proposals[number] = replace(self.proposals[number], state=CANCELLED)

    def execute(self, sender: Address, number: int) -> None:
        self._require_open(number)
        proposal = self.proposals[number]
        require(len(proposal.approved) >= self.quorum, "council: quorum not reached")
        require(self.world.now >= proposal.executable_at, "council: delay not over")
        self.proposals[number] = replace(proposal, state=EXECUTED)
        for call in proposal.calls:
            require(call.target in self.world.contracts, "council: target has no code")
            self.world.run(self.address, call)

    def pause(self, sender: Address) -> None:
        require(sender == self.guardian, "council: not the guardian")
        self.paused = True

    def unpause(self, sender: Address) -> None:
        require(sender == self.address, "council: only by its own execution")
        self.paused = False

    def set_governors(self, sender: Address, governors: tuple[Address, ...], quorum: int) -> None:
        require(sender == self.address, "council: only by its own execution")
        self._appoint(governors, quorum)

    def set_guardian(self, sender: Address, guardian: Address) -> None:
        require(sender == self.address, "council: only by its own execution")
        self.guardian = guardian

    def _appoint(self, governors: tuple[Address, ...], quorum: int) -> None:
        require(NOBODY not in governors and len(set(governors)) == len(governors), "council: governors")
        require(0 < quorum <= len(governors), "council: quorum")
        self.governors, self.quorum = governors, quorum
        self.epoch += 1

    def _approve(self, number: int, governor: Address) -> None:
        """The delay starts with the approval that completes the quorum, and with no later one."""
        proposal = self.proposals[number]
        approved = proposal.approved | {governor}
        due = self.world.now + self.delay if len(approved) == self.quorum else proposal.executable_at
        self.proposals[number] = replace(proposal, approved=approved, executable_at=due)

    def _require_open(self, number: int) -> None:
        require(number < len(self.proposals), "council: unknown proposal")
        require(self.proposals[number].state == OPEN, "council: closed proposal")
        require(self.proposals[number].epoch == self.epoch, "council: lapsed proposal")
