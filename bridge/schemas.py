"""The bridge's door: what comes in and goes out, as JSON. Amounts are strings of minor units."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bridge.client import MAX_ITEMS
from contracts.terms.batch import MAX_BATCHES_PER_CALL
from contracts.terms.identifiers import uetr
from serving.bodies import Schema
from serving.documents import (
    AgreementField,
    AttestationField,
    BatchField,
    HexField,
    InclusionPathField,
    PaymentTermsField,
    QuoteField,
)

MAX_PAYMENTS = 10_000
"""Payments of one batch that name the provider; the body's size bounds them before this does."""

Uetr = Annotated[str, AfterValidator(uetr)]
Amount = Annotated[str, Field(max_length=20, description="minor units", examples=["125000"])]
CurrencyCode = Annotated[int, Field(ge=0, le=999, description="ISO 4217 numeric code", examples=[764])]


class QuoteItem(Schema):
    """A price asked for: exactly one of the two amounts is given; for a return it is `source_amount`."""

    request_id: str = Field(min_length=1, max_length=64)
    source_currency: CurrencyCode
    target_currency: CurrencyCode
    target_amount: Amount | None = None
    source_amount: Amount | None = None
    original_uetr: Uetr | None = Field(default=None, description="the payment to return, at its own rate")


class QuotesAsked(Schema):
    requests: list[QuoteItem] = Field(max_length=MAX_ITEMS)


class QuoteAnswer(Schema):
    request_id: str
    quote: QuoteField
    signature: HexField
    rate: str = Field(description="target per source, spread included; for people, the quote's amounts count")
    rate_date: str
    spread_bp: int


class QuoteRefused(Schema):
    request_id: str
    problem: str
    reason: str = Field(description="ISO 20022 ExternalStatusReason1Code")
    detail: str


class QuotesGiven(Schema):
    quotes: list[QuoteAnswer | QuoteRefused]


class ReservationItem(Schema):
    terms: PaymentTermsField
    quote: QuoteField


class ReservationsAsked(Schema):
    payments: list[ReservationItem] = Field(max_length=MAX_ITEMS)


class PaymentRefused(Schema):
    uetr: str
    problem: str
    reason: str = Field(description="ISO 20022 ExternalStatusReason1Code")
    detail: str


class SignedAgreementAnswer(Schema):
    agreement: AgreementField
    signature: HexField


class ReservationsGiven(Schema):
    reserved: list[str]
    refused: list[PaymentRefused]
    agreement: SignedAgreementAnswer | None


class ReleasesAsked(Schema):
    uetrs: list[Uetr] = Field(max_length=MAX_ITEMS)


class ReleasesGiven(Schema):
    released: list[str]


class OwnPayment(Schema):
    terms: PaymentTermsField
    path: InclusionPathField


class CosignItem(Schema):
    batch: BatchField
    own: list[OwnPayment] = Field(max_length=MAX_PAYMENTS)


class CosignaturesAsked(Schema):
    requests: list[CosignItem] = Field(max_length=MAX_BATCHES_PER_CALL)


class CosignatureAnswer(Schema):
    batch_hash: HexField
    settlement_signature: HexField
    attestation: AttestationField
    attestation_signature: HexField


class CosignatureRefused(Schema):
    batch_hash: str
    problem: str
    reason: str = Field(description="ISO 20022 ExternalStatusReason1Code")
    detail: str


class CosignaturesGiven(Schema):
    cosignatures: list[CosignatureAnswer | CosignatureRefused]


class PositionAnswer(Schema):
    """One currency: `stock` is the book's, `on_chain` the Ledger's at the same final block."""

    currency: CurrencyCode
    code: str
    stock: str
    on_chain: str
    agrees: bool = Field(description="whether book and chain are equal")
    reserved: str
    available: str = Field(description="what may still be reserved: the stock last seen on chain less reserved")
    capital: str = Field(description="issued less redeemed, from the provider's side negative")
    conversion: str = Field(description="given less received in conversions")


class PositionsAnswer(Schema):
    block: int = Field(description="the newest final block in the book")
    block_time: int
    positions: list[PositionAnswer]


class StoredQuoteAnswer(Schema):
    quote: QuoteField
    signature: HexField
    rate: str = Field(description="the exact fraction, target per source in major units")
    rate_date: str
    spread_bp: int
    residue: str = Field(description="what rounding added to the provider's, an exact fraction of a minor unit")
    residue_currency: CurrencyCode
    used_by: str | None = Field(description="UETR of the payment that reserved it")
    original_uetr: str | None = Field(description="UETR of the payment that it returns")


class ReservationAnswer(Schema):
    uetr: str
    state: str
    counterparty: str
    target_currency: CurrencyCode
    target_amount: str
    deadline: int
    leaf: HexField
    original_uetr: str | None = Field(description="UETR of the payment that it returns")


class ReservationsAnswer(Schema):
    reservations: list[ReservationAnswer]
    next: str | None = Field(description="pass as `cursor` for the next page")


class RatesAnswer(Schema):
    source: str
    asked_date: str
    business_date: str
    spread_bp: int
    per_euro: dict[str, str] = Field(description="units of each currency per euro")
