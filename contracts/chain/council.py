"""Council: proposals of calls, approved by a quorum, run after a delay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

from eth_abi.abi import encode

from contracts.chain.abi import decode_log, encode_call
from contracts.chain.client import Block, ChainClient, Receipt
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Approval
from contracts.terms.commitments import approval_hash, domain_separator, keccak, typed_digest
from contracts.terms.errors import ChainUnavailable
from contracts.terms.identifiers import Address, Hash
from contracts.terms.signing import Signer

MAX_CALLS = 8
# Sent in a row, each on the state that the one before leaves, so they cannot be estimated. Eight admissions with
# every text at its longest take 13.9M gas; two such executions fit a block.
_APPROVE_GAS, _EXECUTE_GAS = 200_000, 14_900_000


@dataclass(frozen=True)
class Call:
    """A call of a contract, as a proposal carries it."""

    target: Address
    data: bytes


class ProposalState(IntFlag):
    """Where a proposal stands; the values are those of the contract's flag."""

    OPEN = 1
    CANCELLED = 2
    EXECUTED = 4


@dataclass(frozen=True)
class Proposal:
    """A proposal; `executable_at` is a block time in seconds, 0 below the quorum."""

    proposer: Address
    calls_hash: Hash
    epoch: int
    approvals: int
    executable_at: int
    state: ProposalState


def calls_hash(calls: Sequence[Call]) -> Hash:
    """What an approval names: keccak(abi.encode(targets, calls)), 32 bytes."""
    return keccak(encode(["address[]", "bytes[]"], [[each.target for each in calls], [each.data for each in calls]]))


class Council:
    """The Council contract at one address."""

    def __init__(self, client: ChainClient, address: Address) -> None:
        self._client = client
        self.address = address

    def governors(self, block: Block | None = None) -> tuple[Address, ...]:
        return tuple(self._client.read("Council", self.address, "governors", block=block)[0])

    def quorum(self, block: Block | None = None) -> int:
        return int(self._client.read("Council", self.address, "quorum", block=block)[0])

    def delay(self, block: Block | None = None) -> int:
        """Seconds between the last needed approval and the earliest execution."""
        return int(self._client.read("Council", self.address, "delay", block=block)[0])

    def guardian(self, block: Block | None = None) -> Address:
        return str(self._client.read("Council", self.address, "guardian", block=block)[0])

    def paused(self, block: Block | None = None) -> bool:
        return bool(self._client.read("Council", self.address, "paused", block=block)[0])

    def epoch(self, block: Block | None = None) -> int:
        """How often the governors changed; a proposal of an earlier epoch lapsed."""
        return int(self._client.read("Council", self.address, "epoch", block=block)[0])

    def proposal_count(self, block: Block | None = None) -> int:
        """How many proposals were made; they are numbered from 0."""
        return int(self._client.read("Council", self.address, "proposal_count", block=block)[0])

    def proposal(self, number: int, block: Block | None = None) -> Proposal:
        """A proposal by its id; state 0 if there is none."""
        record = self._client.read("Council", self.address, "proposal", number, block=block)[0]
        proposer, named, epoch, approvals, executable_at, state = record
        return Proposal(proposer, named, epoch, approvals, executable_at, ProposalState(state))

    def proposed_calls(self, number: int, block: Block | None = None) -> tuple[Call, ...]:
        """What a proposal would call."""
        targets, calls = self._client.read("Council", self.address, "proposed_calls", number, block=block)
        return tuple(Call(target, data) for target, data in zip(targets, calls, strict=True))

    def has_approved(self, number: int, governor: Address, block: Block | None = None) -> bool:
        """Whether a governor's approval stands."""
        return bool(self._client.read("Council", self.address, "has_approved", number, governor, block=block)[0])

    def has_withdrawn(self, number: int, governor: Address, block: Block | None = None) -> bool:
        """Whether a governor ever withdrew its approval: its signature no longer counts, its transaction does."""
        return bool(self._client.read("Council", self.address, "has_withdrawn", number, governor, block=block)[0])

    def approval_digest(self, approval: Approval) -> Hash:
        """What a governor signs: valid for this council on this chain alone."""
        return typed_digest(domain_separator(self._client.chain_id, self.address), approval_hash(approval))

    def sign_approval(self, governor: Signer, approval: Approval) -> bytes:
        """A governor's approval, 65 bytes, for anyone to bring."""
        return governor.sign(self.approval_digest(approval))

    def propose(self, governor: TransactionSender, calls: Sequence[Call]) -> int:
        """Propose up to 8 calls that run together; the proposal's id."""
        return self._proposed(governor.transact(self.address, self._propose_call(calls)))

    def approve(self, governor: TransactionSender, number: int, calls: Sequence[Call]) -> Receipt:
        """Approve the calls that one read; refused when the proposal's are others."""
        return governor.transact(self.address, self._approve_call(number, calls))

    def approve_by_signature(self, anyone: TransactionSender, number: int, signatures: Sequence[bytes]) -> Receipt:
        """Bring governors' signed approvals, up to 16 of 65 bytes; refused when none of them is new."""
        parts = [(each[:32], each[32:64], each[64]) for each in signatures]
        return anyone.transact(self.address, encode_call("Council", "approve_by_signature", number, parts))

    def withdraw(self, governor: TransactionSender, number: int) -> Receipt:
        """Take one's approval back."""
        return governor.transact(self.address, encode_call("Council", "withdraw", number))

    def cancel(self, proposer: TransactionSender, number: int) -> Receipt:
        return proposer.transact(self.address, encode_call("Council", "cancel", number))

    def execute(self, anyone: TransactionSender, number: int) -> Receipt:
        return anyone.transact(self.address, encode_call("Council", "execute", number))

    def pause(self, guardian: TransactionSender) -> Receipt:
        return guardian.transact(self.address, encode_call("Council", "pause"))

    @staticmethod
    def unpause_call() -> bytes:
        return encode_call("Council", "unpause")

    @staticmethod
    def set_governors_call(governors: Sequence[Address], quorum: int) -> bytes:
        return encode_call("Council", "set_governors", governors, quorum)

    @staticmethod
    def set_guardian_call(guardian: Address) -> bytes:
        return encode_call("Council", "set_guardian", guardian)

    def carry(
        self, governors: Sequence[TransactionSender], calls: Sequence[Call], patience: float = 30.0
    ) -> list[Receipt]:
        """Propose, approve by each of these governors, wait out the delay, execute: 8 calls a proposal, in order.

        All proposals go together, step by step, so that a network's founding takes few blocks. `patience` is how
        many seconds to wait for the chain's clock beyond the delay. Raises the first refusal.
        """
        first, *others = governors
        lists = [calls[start : start + MAX_CALLS] for start in range(0, len(calls), MAX_CALLS)]
        sent = first.send_all([(self.address, self._propose_call(each)) for each in lists])
        numbers = [self._proposed(receipt) for receipt in first.wait(sent)]
        for governor in others:
            data = [self._approve_call(number, each) for number, each in zip(numbers, lists, strict=True)]
            governor.wait(governor.send_all([(self.address, each) for each in data], _APPROVE_GAS))
        self._wait_executable(numbers, patience)
        data = [encode_call("Council", "execute", number) for number in numbers]
        return first.wait(first.send_all([(self.address, each) for each in data], _EXECUTE_GAS))

    def _propose_call(self, calls: Sequence[Call]) -> bytes:
        return encode_call("Council", "propose", [each.target for each in calls], [each.data for each in calls])

    @staticmethod
    def _approve_call(number: int, calls: Sequence[Call]) -> bytes:
        return encode_call("Council", "approve", number, calls_hash(calls))

    @staticmethod
    def _proposed(receipt: Receipt) -> int:
        events = [decode_log("Council", log) for log in receipt.logs]
        return next(int(event[1]["id"]) for event in events if event and event[0] == "Proposed")

    def _wait_executable(self, numbers: Sequence[int], patience: float) -> None:
        due = max((self.proposal(each, "latest").executable_at for each in numbers), default=0)
        end = time.monotonic() + self.delay("latest") + patience
        while self._client.newest_timestamp() < due:
            if time.monotonic() > end:
                raise ChainUnavailable(f"the chain's clock did not reach {due}, when the proposals may run")
            time.sleep(0.05)
