"""HTTP in, HTTP out: what members of the network ask, and what the provider's own people and auditors read."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bridge.client import Cosignature, CosignRequest, FirmQuote, Refusal, ReservationRequest, Reserved, refusal_document
from bridge.context import BridgeContext, context
from bridge.cosigning.service import Cosigning
from bridge.positions.service import CurrencyPosition, Positions
from bridge.quotes.service import PriceAsked, Quotes
from bridge.rates.reference import SOURCE
from bridge.reservations.repository import Reservation
from bridge.reservations.service import Reservations
from bridge.reservations.states import State
from bridge.schemas import (
    CosignatureAnswer,
    CosignatureRefused,
    CosignaturesAsked,
    CosignaturesGiven,
    CosignItem,
    PaymentRefused,
    PositionAnswer,
    PositionsAnswer,
    QuoteAnswer,
    QuoteItem,
    QuoteRefused,
    QuotesAsked,
    QuotesGiven,
    RatesAnswer,
    ReleasesAsked,
    ReleasesGiven,
    ReservationAnswer,
    ReservationsAnswer,
    ReservationsAsked,
    ReservationsGiven,
    SignedAgreementAnswer,
    StoredQuoteAnswer,
)
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.errors import Forbidden, Malformed
from contracts.terms.money import currency
from contracts.terms.parties import Participant
from serving.auth import Caller, require
from serving.bodies import StrictRoute
from serving.peers import SignedRoute, sender

peers = APIRouter(prefix="/peer/v1", route_class=SignedRoute, tags=["members"])
own = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["provider and auditors"])

Bridge = Annotated[BridgeContext, Depends(context)]
Member = Annotated[Participant, Depends(sender)]

_bearer = HTTPBearer(auto_error=False, description="A token of this bridge: `feiqian bridge token --help`")
_NONCE = re.compile("0x[0-9a-f]{64}", re.ASCII)
_as_operator, _as_auditor = require("bridge:read"), require("audit")


async def reader(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """A dependency: the provider's own people (scope bridge:read) and auditors (scope audit) read the same."""
    try:
        return await _as_operator(request, credentials)
    except Forbidden:
        return await _as_auditor(request, credentials)


Reader = Annotated[Caller, Depends(reader)]


@peers.post("/quotes")
def quote(asked: QuotesAsked, buyer: Member, bridge: Bridge) -> QuotesGiven:
    """Firm, signed prices for the sender."""
    answers = Quotes(bridge).quote(buyer.account, [_price_asked(item) for item in asked.requests])
    return QuotesGiven(quotes=[_quote_answer(answer) for answer in answers])


@peers.post("/reservations")
def reserve(asked: ReservationsAsked, debtor_agent: Member, bridge: Bridge) -> ReservationsGiven:
    """Set the provider's currency aside for payments that bind its quotes; agreed to with one signature."""
    requests = [ReservationRequest(item.terms, item.quote) for item in asked.payments]
    return _reservations_given(Reservations(bridge).reserve(debtor_agent.account, requests))


@peers.post("/reservations/release")
def release(asked: ReleasesAsked, debtor_agent: Member, bridge: Bridge) -> ReleasesGiven:
    """Give reservations back before their deadline."""
    return ReleasesGiven(released=Reservations(bridge).release(debtor_agent.account, asked.uetrs))


@peers.post("/cosignatures")
def cosign(asked: CosignaturesAsked, debtor_agent: Member, bridge: Bridge) -> CosignaturesGiven:
    """The provider's settlement and compliance signatures on batches."""
    requests = [_cosign_request(item) for item in asked.requests]
    answers = Cosigning(bridge).cosign(debtor_agent.account, requests)
    return CosignaturesGiven(cosignatures=[_cosignature_answer(answer) for answer in answers])


@own.get("/positions")
def positions(_: Reader, bridge: Bridge) -> PositionsAnswer:
    """Each currency in the book and on chain, at the same final block."""
    block, held = Positions(bridge).proven()
    return PositionsAnswer(
        block=block.number, block_time=block.timestamp, positions=[_position_answer(each) for each in held]
    )


@own.get("/quotes/{nonce}")
def stored_quote(nonce: str, _: Reader, bridge: Bridge) -> StoredQuoteAnswer:
    """A quote with the exact figures behind it; `nonce` is 0x and 64 lower-case hex digits."""
    stored, used_by = Quotes(bridge).stored(_nonce(nonce))
    return StoredQuoteAnswer(
        quote=stored.quote,
        signature=stored.signature,
        rate=str(stored.rate),
        rate_date=stored.rate_date,
        spread_bp=stored.spread_bp,
        residue=str(stored.residue),
        residue_currency=stored.residue_currency,
        used_by=used_by,
        original_uetr=stored.original_uetr or None,
    )


@own.get("/reservations")
def reservations(
    _: Reader,
    bridge: Bridge,
    state: State | None = None,
    cursor: Annotated[str, Query(max_length=36)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ReservationsAnswer:
    """Reservations in the order of their UETRs."""
    found = Reservations(bridge).page(state, cursor, limit)
    return ReservationsAnswer(
        reservations=[_reservation_answer(each) for each in found],
        next=found[-1].uetr if len(found) == limit else None,
    )


@own.get("/rates")
def rates(_: Reader, bridge: Bridge) -> RatesAnswer:
    """The reference rates that quotes are made from."""
    return RatesAnswer(
        source=SOURCE,
        asked_date=bridge.settings.rate_date.isoformat(),
        business_date=bridge.rates.business_date.isoformat(),
        spread_bp=bridge.settings.spread_bp,
        per_euro={code: format(rate, "f") for code, rate in bridge.rates.per_euro.items()},
    )


def _price_asked(item: QuoteItem) -> PriceAsked:
    return PriceAsked(
        item.request_id,
        item.source_currency,
        item.target_currency,
        item.target_amount,
        item.source_amount,
        item.original_uetr or "",
    )


def _quote_answer(answer: FirmQuote | Refusal) -> QuoteAnswer | QuoteRefused:
    if isinstance(answer, Refusal):
        return QuoteRefused(**refusal_document(answer, "request_id"))
    return QuoteAnswer(
        request_id=answer.request_id,
        quote=answer.quote,
        signature=answer.signature,
        rate=answer.rate,
        rate_date=answer.rate_date,
        spread_bp=answer.spread_bp,
    )


def _reservations_given(answer: Reserved) -> ReservationsGiven:
    signed = answer.agreement
    return ReservationsGiven(
        reserved=list(answer.uetrs),
        refused=[PaymentRefused(**refusal_document(refusal, "uetr")) for refusal in answer.refused],
        agreement=None
        if signed is None
        else SignedAgreementAnswer(agreement=signed.agreement, signature=signed.signature),
    )


def _cosign_request(item: CosignItem) -> CosignRequest:
    return CosignRequest(item.batch, tuple(IncludedPayment(payment.terms, payment.path) for payment in item.own))


def _cosignature_answer(answer: Cosignature | Refusal) -> CosignatureAnswer | CosignatureRefused:
    if isinstance(answer, Refusal):
        return CosignatureRefused(**refusal_document(answer, "batch_hash"))
    return CosignatureAnswer(
        batch_hash=answer.batch_hash,
        settlement_signature=answer.settlement_signature,
        attestation=answer.attestation,
        attestation_signature=answer.attestation_signature,
    )


def _position_answer(held: CurrencyPosition) -> PositionAnswer:
    return PositionAnswer(
        currency=held.currency,
        code=currency(held.currency).alpha,
        stock=str(held.stock),
        on_chain=str(held.on_chain),
        agrees=held.agrees,
        reserved=str(held.reserved),
        available=str(held.available),
        capital=str(held.capital),
        conversion=str(held.conversion),
    )


def _reservation_answer(reservation: Reservation) -> ReservationAnswer:
    return ReservationAnswer(
        uetr=reservation.uetr,
        state=reservation.state,
        counterparty=reservation.counterparty,
        target_currency=reservation.target_currency,
        target_amount=str(reservation.target_amount),
        deadline=reservation.deadline,
        leaf=reservation.leaf,
        original_uetr=reservation.original_uetr or None,
    )


def _nonce(text: str) -> bytes:
    if not _NONCE.fullmatch(text):
        raise Malformed("a nonce is 0x and 64 lower-case hex digits")
    return bytes.fromhex(text[2:])
