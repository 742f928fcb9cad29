"""What comes in and goes out at the door."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, Field

from compliance.client import MAX_SCREENINGS, AttestationRequest, Decision, Refusal, Screening
from compliance.screening.decide import PartyMatch
from compliance.screening.questions import own_party
from compliance.screening.record import Decided
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.documents import to_document
from contracts.terms.identifiers import uetr
from serving.bodies import Schema
from serving.documents import (
    AttestationField,
    BatchField,
    HexField,
    InclusionPathField,
    LegField,
    PartyField,
    PaymentTermsField,
)
from serving.jsontext import load

MAX_ATTESTATIONS = 64

PartyOrNone = PartyField | None
UetrPath = Annotated[str, Path(description="the payment's UETR"), AfterValidator(uetr)]


class ScreeningSchema(Schema):
    """One payment as one side of it. Contents are checked item by item, so that one bad item spoils no other."""

    uetr: str
    side: str = Field(description="debtor, creditor or provider")
    debtor: PartyOrNone
    creditor: PartyOrNone
    debtor_agent: str
    creditor_agent: str
    legs: list[LegField]
    attempt: int = Field(default=0, description="1, 2, ... when the payment was priced anew after attempt 0, 1, ...")

    def to_terms(self) -> Screening:
        return Screening(
            self.uetr,
            self.side,
            self.debtor,
            self.creditor,
            self.debtor_agent,
            self.creditor_agent,
            tuple(self.legs),
            self.attempt,
        )


class Screenings(Schema):
    screenings: list[ScreeningSchema] = Field(max_length=MAX_SCREENINGS)


class OwnPayment(Schema):
    terms: PaymentTermsField
    path: InclusionPathField


class AttestationRequestSchema(Schema):
    batch: BatchField
    own: list[OwnPayment]

    def to_terms(self) -> AttestationRequest:
        return AttestationRequest(self.batch, tuple(IncludedPayment(each.terms, each.path) for each in self.own))


class AttestationRequests(Schema):
    requests: list[AttestationRequestSchema] = Field(max_length=MAX_ATTESTATIONS)


class DecisionItem(Schema):
    """A decision; or, with `problem`, why the question itself was refused."""

    uetr: str
    outcome: str | None = Field(default=None, description="clear, hold, refuse or request-information")
    reason: str = Field(description="ISO 20022 ExternalStatusReason1Code, empty when clear")
    detail: str
    party_commitment: HexField | None = None
    decision_commitment: HexField | None = None
    policy_version: str | None = None
    list_version: str | None = None
    hold_until: int | None = Field(default=None, description="chain time in seconds, for a held payment only")
    problem: str | None = None


class DecisionItems(Schema):
    decisions: list[DecisionItem]


class AttestationItem(Schema):
    """A signed attestation; or, with `problem`, why the batch was not attested."""

    attestation: AttestationField | None = None
    signature: HexField | None = None
    batch_hash: HexField | None = None
    problem: str | None = None
    reason: str | None = None
    detail: str | None = None


class AttestationItems(Schema):
    attestations: list[AttestationItem]


class MatchView(Schema):
    """A listed name that a party's name resembles; `score` is 0 to 1000."""

    role: str
    list: str
    entry_id: str
    name: str
    score: int
    reasons: tuple[str, ...]


class DecisionSummary(Schema):
    """A decision as a queue shows it: no personal data."""

    sequence: int = Field(description="its number in the log")
    uetr: str
    side: str
    outcome: str
    reason: str
    detail: str
    score: int = Field(description="that of the best match, 0 to 1000")
    decided_at: int = Field(description="chain time in seconds")
    hold_until: int = Field(description="chain time in seconds; 0 unless held")


class DecisionsPage(Schema):
    decisions: tuple[DecisionSummary, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


class DecisionReview(Schema):
    """What an officer did about a hold, with the matches that the officer saw."""

    officer: str
    action: str = Field(description="release or refuse; ask the other agent; answered by it")
    at: int = Field(description="chain time in seconds")
    entries: tuple[str, ...]


class DecisionView(Schema):
    """A decision with what it was made from."""

    uetr: str
    side: str
    number: int = Field(description="0, 1, ...: of the decisions about this payment and side the last counts")
    attempt: int = Field(description="0, or more when the payment was priced anew")
    outcome: str
    reason: str
    detail: str
    score: int
    matches: tuple[MatchView, ...]
    debtor: PartyOrNone
    creditor: PartyOrNone
    debtor_agent: str
    creditor_agent: str
    legs: tuple[LegField, ...]
    reviews: tuple[DecisionReview, ...]
    decided_at: int
    hold_until: int
    policy_version: str
    list_version: str
    party_commitment: HexField
    decision_commitment: HexField


class DecisionViews(Schema):
    decisions: tuple[DecisionView, ...]


class Opening(Schema):
    """What opens the commitments of a decision: keccak(salt || canonical JSON of the party, of the record)."""

    side: str
    party: PartyOrNone
    party_salt: HexField
    party_commitment: HexField
    record: dict[str, Any]
    decision_salt: HexField
    decision_commitment: HexField


class Openings(Schema):
    uetr: str
    openings: tuple[Opening, ...]


class PolicyView(Schema):
    version: str = Field(description="SHA-256 of the content")
    content: str = Field(description="the policy file, TOML")


def summary(sequence: int, decided: Decided) -> DecisionSummary:
    question, verdict = decided.inputs.screening, decided.verdict
    return DecisionSummary(
        sequence=sequence,
        uetr=question.uetr,
        side=question.side,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        score=verdict.score,
        decided_at=decided.inputs.facts.decided_at,
        hold_until=decided.hold_until,
    )


def view(decided: Decided) -> DecisionView:
    question, verdict = decided.inputs.screening, decided.verdict
    return DecisionView(
        uetr=question.uetr,
        side=question.side,
        number=decided.number,
        attempt=question.attempt,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        score=verdict.score,
        matches=tuple(match_view(found) for found in verdict.matches),
        debtor=question.debtor,
        creditor=question.creditor,
        debtor_agent=question.debtor_agent,
        creditor_agent=question.creditor_agent,
        legs=question.legs,
        reviews=tuple(
            DecisionReview(officer=each.officer, action=each.action, at=each.at, entries=each.entries)
            for each in decided.inputs.facts.reviews
        ),
        decided_at=decided.inputs.facts.decided_at,
        hold_until=decided.hold_until,
        policy_version=decided.versions.policy,
        list_version=decided.versions.lists,
        party_commitment=decided.party_commitment,
        decision_commitment=decided.decision_commitment,
    )


def opening(decided: Decided) -> Opening:
    return Opening(
        side=decided.inputs.screening.side,
        party=own_party(decided.inputs.screening),
        party_salt=decided.salts.party,
        party_commitment=decided.party_commitment,
        record=load(decided.record.decode()),
        decision_salt=decided.salts.decision,
        decision_commitment=decided.decision_commitment,
    )


def decision_item(answer: Decision | Refusal) -> dict[str, Any]:
    document: dict[str, Any] = to_document(answer)
    if document.get("hold_until") == 0:
        del document["hold_until"]
    return document


def match_view(found: PartyMatch) -> MatchView:
    match = found.match
    return MatchView(
        role=found.role,
        list=match.list_name,
        entry_id=match.entry_id,
        name=match.name,
        score=match.score,
        reasons=match.reasons,
    )
