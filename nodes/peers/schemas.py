"""What other institutions may ask of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, RootModel, WithJsonSchema

from bridge.client import Cosignature, CosignRequest, Refusal, refusal_document
from compliance.client import MAX_INQUIRIES, Inquiry
from contracts.terms.documents import from_document, to_document
from nodes.peers.client import MAX_LIST, AgreementAnswer, Charge, Payee, Proposal
from serving.bodies import Schema


def _reads(kind: type) -> tuple[Any, ...]:
    return (
        BeforeValidator(lambda value: value if isinstance(value, kind) else from_document(kind, value)),
        PlainSerializer(to_document),
        WithJsonSchema({"type": "object", "title": kind.__name__, "description": kind.__doc__ or ""}),
    )


class PayeesQuestion(Schema):
    lookup_keys: list[Annotated[str, Field(min_length=1, max_length=160)]] = Field(min_length=1, max_length=MAX_LIST)


class ProposalsBody(Schema):
    proposals: list[Annotated[Proposal, *_reads(Proposal)]] = Field(min_length=1, max_length=MAX_LIST)


class StatusQuestion(Schema):
    uetrs: list[str] = Field(min_length=1, max_length=MAX_LIST)


class BatchQuestion(Schema):
    batch_hash: str = Field(pattern="^0x[0-9a-f]{64}$")


class ChargeQuestion(RootModel[Annotated[Charge, *_reads(Charge)]]):
    """One charge."""


class InquiriesBody(Schema):
    inquiries: list[Annotated[Inquiry, *_reads(Inquiry)]] = Field(min_length=1, max_length=MAX_INQUIRIES)


class CosignBody(Schema):
    requests: list[Annotated[CosignRequest, *_reads(CosignRequest)]] = Field(min_length=1, max_length=8)


def payees_document(payees: Sequence[Payee | None]) -> dict[str, Any]:
    return {"payees": [None if payee is None else to_document(payee) for payee in payees]}


def agreement_document(answer: AgreementAnswer) -> dict[str, Any]:
    document: dict[str, Any] = to_document(answer)
    return document


def cosignatures_document(answers: list[Cosignature | Refusal]) -> dict[str, Any]:
    return {
        "cosignatures": [
            refusal_document(each, "batch_hash") if isinstance(each, Refusal) else to_document(each) for each in answers
        ]
    }
