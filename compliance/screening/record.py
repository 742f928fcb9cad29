"""What is remembered of a decision, and the commitments to it that stand in a payment's terms.

The record holds no personal data, only salted commitments, so that erasing a person leaves the log whole.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from compliance.client import Decision
from compliance.screening.decide import Verdict
from compliance.screening.questions import Inputs
from contracts.terms.commitments import canonical_json, commitment, commitment_to
from contracts.terms.identifiers import Address
from contracts.terms.payment import Leg

NO_COMMITMENT = bytes(32)
"""The party commitment of a side that has no customer in the payment: the provider's."""


@dataclass(frozen=True)
class Salts:
    """32 random bytes each: whoever has one can open the commitment made with it."""

    party: bytes
    inputs: bytes
    decision: bytes


@dataclass(frozen=True)
class Note:
    """What an officer wrote about a review. It may name people, so the review itself has only the commitment."""

    commitment: bytes
    salt: bytes
    content: str

    @property
    def opens(self) -> bool:
        """Is it what was committed to?"""
        return commitment(self.salt, {"note": self.content}) == self.commitment


@dataclass(frozen=True)
class Versions:
    """The policy and the lists that a decision was made under, and the model that compared names: empty in decisions
    from before there was one."""

    policy: str
    lists: str
    names: str = ""


@dataclass(frozen=True)
class Decided:
    """A decision with all that it follows from, the `number`-th (from 0) about its payment and side.

    `record` is its canonical JSON, an entry of the log.
    """

    number: int
    inputs: Inputs
    verdict: Verdict
    versions: Versions
    salts: Salts
    hold_until: int
    party_commitment: bytes
    decision_commitment: bytes
    record: bytes

    def answer(self) -> Decision:
        return Decision(
            uetr=self.inputs.screening.uetr,
            outcome=self.verdict.outcome,
            reason=self.verdict.reason,
            detail=self.verdict.detail,
            party_commitment=self.party_commitment,
            decision_commitment=self.decision_commitment,
            policy_version=self.versions.policy,
            list_version=self.versions.lists,
            hold_until=self.hold_until,
        )


@dataclass(frozen=True)
class Screened:
    """What an attestation must know of a decision: under what it was made, about what, and what it committed to."""

    outcome: str
    versions: Versions
    debtor_agent: Address
    creditor_agent: Address
    legs: tuple[Leg, ...]
    party_commitment: bytes
    decision_commitment: bytes


def new_note(content: str) -> Note:
    salt = secrets.token_bytes(32)
    return Note(commitment(salt, {"note": content}), salt, content)


def new_salts() -> Salts:
    drawn = secrets.token_bytes(96)
    return Salts(drawn[:32], drawn[32:64], drawn[64:])


def record_decision(
    number: int,
    inputs: Inputs,
    verdict: Verdict,
    versions: Versions,
    salts: Salts,
    hold_seconds: int,
) -> Decided:
    """Commit to a verdict. The same arguments give the same bytes."""
    party = inputs.document["screening"].get(inputs.screening.side)
    party_commitment = commitment(salts.party, party) if party else NO_COMMITMENT
    content = {
        "uetr": inputs.screening.uetr,
        "side": inputs.screening.side,
        "number": number,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "score": verdict.score,
        "policy_version": versions.policy,
        "list_version": versions.lists,
        **({"names_version": versions.names} if versions.names else {}),
        "party_commitment": "0x" + party_commitment.hex(),
        "inputs_commitment": "0x" + commitment(salts.inputs, inputs.document).hex(),
        "decided_at": inputs.facts.decided_at,
    }
    record = canonical_json(content)
    hold_until = inputs.facts.held_until or inputs.facts.asked_at + hold_seconds
    return Decided(
        number=number,
        inputs=inputs,
        verdict=verdict,
        versions=versions,
        salts=salts,
        hold_until=hold_until if verdict.waits else 0,
        party_commitment=party_commitment,
        decision_commitment=commitment_to(salts.decision, record),
        record=record,
    )
