"""The terms' dataclasses as fields of the schemas at the door, in the one JSON form that all institutions share."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from contracts.terms.attestation import Agreement, Attestation
from contracts.terms.batch import Batch
from contracts.terms.documents import from_document, to_document
from contracts.terms.merkle import InclusionPath
from contracts.terms.parties import Party
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote


def _as(kind: type) -> tuple[Any, ...]:
    def read(value: object) -> object:
        return value if isinstance(value, kind) else from_document(kind, value)

    return (
        BeforeValidator(read),
        PlainSerializer(partial(to_document)),
        WithJsonSchema({"type": "object", "title": kind.__name__, "description": kind.__doc__ or ""}),
    )


AgreementField = Annotated[Agreement, *_as(Agreement)]
AttestationField = Annotated[Attestation, *_as(Attestation)]
BatchField = Annotated[Batch, *_as(Batch)]
InclusionPathField = Annotated[InclusionPath, *_as(InclusionPath)]
LegField = Annotated[Leg, *_as(Leg)]
PartyField = Annotated[Party, *_as(Party)]
PaymentTermsField = Annotated[PaymentTerms, *_as(PaymentTerms)]
QuoteField = Annotated[Quote, *_as(Quote)]
HexField = Annotated[
    bytes,
    BeforeValidator(lambda value: value if isinstance(value, bytes) else from_document(bytes, value)),
    PlainSerializer(to_document),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}),
]
