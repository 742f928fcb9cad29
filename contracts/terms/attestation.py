"""What is signed beside a batch: the EIP-712 structs `Attestation`, `Agreement` and `Approval`."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.terms.identifiers import Address, Hash


@dataclass(frozen=True)
class Attestation:
    """A member's compliance key says: each of our payments in this batch was screened and is clear.

    `policy_hash` names the policy and list versions, `log_head` the head of the compliance log; both 32 bytes.
    `valid_until` is in seconds of chain time.
    """

    batch_hash: Hash
    policy_hash: Hash
    log_head: Hash
    valid_until: int


@dataclass(frozen=True)
class Agreement:
    """A member's settlement key says: we agree to these `count` payments, whose tree has this `root` (32 bytes).

    Void after `deadline` (seconds of chain time), the latest deadline among the payments.
    """

    root: Hash
    count: int
    deadline: int


@dataclass(frozen=True)
class Approval:
    """A governor says: the council may make these calls (`calls_hash`, 32 bytes) as its proposal of this number.

    Signed under the council's domain, not the Settlement's. Void once the governors changed (`epoch`).
    """

    proposal: int
    calls_hash: Hash
    epoch: int


@dataclass(frozen=True)
class SignedApproval:
    """An approval with its governor's signature (65 bytes), as governors hand it to whoever submits it."""

    chain_id: int
    council: Address
    governor: Address
    approval: Approval
    signature: bytes
