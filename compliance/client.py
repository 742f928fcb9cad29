"""What others may know of compliance: its questions, its answers, and the signed way to ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import ComplianceUnavailable, FeiqianError, Malformed, PeerUnavailable
from contracts.terms.identifiers import Address, Hash, Uetr
from contracts.terms.parties import Party
from contracts.terms.payment import Leg
from serving.client import Peer, PeerClient

Answer = TypeVar("Answer")
Side = Literal["debtor", "creditor", "provider"]
Outcome = Literal["clear", "hold", "refuse", "request-information"]
_OUTCOMES = frozenset(get_args(Outcome))

MAX_SCREENINGS = 500
"""Payments in one request; the client splits longer lists."""
MAX_INQUIRIES = 50
"""Requests for information in one request."""
MAX_TEXT = 2000
"""Characters of a question or an answer between officers."""


@dataclass(frozen=True)
class Screening:
    """One payment to screen as one `side` of it. `legs` are those that touch the asking institution's own account.

    Both parties are needed except on the provider's side, which knows neither. A payment that is priced anew is asked
    about again as the next `attempt` (1, 2, ...): the same but for the amounts of its legs.
    """

    uetr: str
    side: str
    debtor: Party | None
    creditor: Party | None
    debtor_agent: Address
    creditor_agent: Address
    legs: tuple[Leg, ...]
    attempt: int = 0

    def party(self, role: str) -> Party | None:
        """The debtor or the creditor."""
        return self.debtor if role == "debtor" else self.creditor


@dataclass(frozen=True)
class Decision:
    """What compliance decided, for ever; only what waits becomes what its officers decide.

    Commitments are 32 bytes and stand in the payment's terms. `reason` is an ISO 20022 ExternalStatusReason1Code,
    empty when clear; `detail` is for the institution's own log and names no person. `hold_until` is chain time in
    seconds, 0 unless the payment waits.
    """

    uetr: Uetr
    outcome: str
    reason: str
    detail: str
    party_commitment: Hash
    decision_commitment: Hash
    policy_version: str
    list_version: str
    hold_until: int = 0

    @property
    def clear(self) -> bool:
        return self.outcome == "clear"


@dataclass(frozen=True)
class Refusal:
    """The question itself was refused: it could not be read, or contradicts what was asked before."""

    uetr: str
    problem: str
    reason: str
    detail: str


@dataclass(frozen=True)
class AttestationRequest:
    """A batch and those of its payments that name the asking institution."""

    batch: Batch
    own: tuple[IncludedPayment, ...]


@dataclass(frozen=True)
class SignedAttestation:
    """An attestation with the compliance key's signature (65 bytes) over its EIP-712 digest."""

    attestation: Attestation
    signature: bytes


@dataclass(frozen=True)
class AttestationRefusal:
    """Why a batch was not attested."""

    batch_hash: Hash
    problem: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Inquiry:
    """A request for information about a payment, between two institutions' officers. `id` is the asker's own, `side`
    the one on which the asker stands, `party` the one that is asked about, as the asker knows it."""

    id: str
    uetr: Uetr
    side: str
    party: Party | None
    question: str


@dataclass(frozen=True)
class InquiryAnswer:
    """Where an inquiry stands: "open", "answered" or "refused"; `text` is the answer, or why it was refused."""

    id: str
    state: str
    text: str


class ComplianceClient:
    """An institution's own compliance service. Fails closed: no answer is never taken for a clear one."""

    def __init__(self, client: PeerClient, peer: Peer) -> None:
        self._client, self._peer = client, peer

    def screen(self, screenings: Sequence[Screening]) -> list[Decision | Refusal]:
        """One answer per screening, in order. Asking again gives the same decision.

        Raises ComplianceUnavailable when no provable answer came, PeerRefusal when the whole request was refused.
        """
        answers: list[Decision | Refusal] = []
        for start in range(0, len(screenings), MAX_SCREENINGS):
            answers += self._screen(screenings[start : start + MAX_SCREENINGS])
        return answers

    def attest(self, requests: Sequence[AttestationRequest]) -> list[SignedAttestation | AttestationRefusal]:
        """One answer per request, in order. Raises as `screen` does."""
        asked = {"requests": [to_document(request) for request in requests]}
        items = self._post("/peer/v1/attestations", asked, "attestations", len(requests))
        return [_attestation(request, item) for request, item in zip(requests, items, strict=True)]

    def inquire(self, asker: Address, inquiries: Sequence[Inquiry]) -> list[InquiryAnswer]:
        """What another institution, whose signature the caller checked, asks our officers; asking again is harmless.

        Raises as `screen` does.
        """
        asked = {"asker": asker, "inquiries": [to_document(each) for each in inquiries]}
        items = self._post("/peer/v1/inquiries", asked, "answers", len(inquiries))
        return [_read(InquiryAnswer, item) for item in items]

    def _screen(self, screenings: Sequence[Screening]) -> list[Decision | Refusal]:
        asked = {"screenings": [to_document(screening) for screening in screenings]}
        items = self._post("/peer/v1/screenings", asked, "decisions", len(screenings))
        return [_decision(screening, item) for screening, item in zip(screenings, items, strict=True)]

    def _post(self, path: str, content: dict[str, Any], member: str, count: int) -> list[Any]:
        try:
            answer = self._client.post(self._peer, path, json.dumps(content).encode())
        except PeerUnavailable as failure:
            raise ComplianceUnavailable(failure.detail) from failure
        items = answer.get(member) if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != count:
            raise ComplianceUnavailable(f"{path}: the answer does not have one item per question")
        return items


def refusal(uetr: str, error: FeiqianError) -> Refusal:
    """An error of the tree as an item's answer."""
    return Refusal(uetr, error.kind(), error.reason, error.detail)


def _decision(screening: Screening, item: Any) -> Decision | Refusal:
    answer: Decision | Refusal = _read(Refusal, item) if _refused(item) else _read(Decision, item)
    if answer.uetr != screening.uetr:
        raise ComplianceUnavailable("the answer is about another payment")
    if isinstance(answer, Decision) and answer.outcome not in _OUTCOMES:
        raise ComplianceUnavailable("the answer is an outcome that this release does not know")
    return answer


def _attestation(request: AttestationRequest, item: Any) -> SignedAttestation | AttestationRefusal:
    refused = _read(AttestationRefusal, item) if _refused(item) else None
    answer = refused or _read(SignedAttestation, item)
    answered = answer.attestation.batch_hash if isinstance(answer, SignedAttestation) else answer.batch_hash
    if answered != batch_hash(request.batch):
        raise ComplianceUnavailable("the answer is about another batch")
    return answer


def _refused(item: Any) -> bool:
    return isinstance(item, dict) and "problem" in item


def _read(kind: type[Answer], item: Any) -> Answer:
    try:
        return from_document(kind, item)
    except Malformed as failure:
        raise ComplianceUnavailable(f"the answer cannot be read: {failure.detail}") from failure
