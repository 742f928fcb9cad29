"""What others may know of a bridge: its questions, its answers, and the signed way to ask.

Every question is a list and every item answers for itself: with what was asked for, or with a `Refusal`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.terms.attestation import Agreement, Attestation
from contracts.terms.batch import MAX_BATCHES_PER_CALL, Batch, Endorsement
from contracts.terms.commitments import batch_hash
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Malformed, PeerUnavailable
from contracts.terms.money import MinorUnits
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote
from serving.client import Peer, PeerClient

Answer = TypeVar("Answer")

MAX_ITEMS = 500
"""Items in one request; the client splits longer lists. Batches to co-sign go by MAX_BATCHES_PER_CALL."""


@dataclass(frozen=True)
class QuoteRequest:
    """Ask for a price: exactly one of the two amounts (minor units) is given, the other is what is asked for.

    `request_id` is the asker's own, 1 to 64 characters. Currencies are ISO 4217 numeric codes.
    With `original_uetr` the quote is for a return of that payment, at its own rate: the asker is its creditor agent,
    the currencies are its own the other way round, and `source_amount`, what is given back, is the one to give.
    """

    request_id: str
    source_currency: int
    target_currency: int
    target_amount: MinorUnits | None = None
    source_amount: MinorUnits | None = None
    original_uetr: str = ""


@dataclass(frozen=True)
class FirmQuote:
    """A quote and the provider's settlement key's signature (65 bytes) over its EIP-712 digest.

    `rate` (target per source in major units, spread included, ten digits) is for people; the amounts of the quote are
    what counts. `rate_date` is the ISO 8601 business date of the reference rates.
    """

    request_id: str
    quote: Quote
    signature: bytes
    rate: str
    rate_date: str
    spread_bp: int


@dataclass(frozen=True)
class Refusal:
    """Why an item was refused. `item` is its request id, UETR or (0x-hex) batch hash; `reason` an ISO 20022 code."""

    item: str
    problem: str
    reason: str
    detail: str


@dataclass(frozen=True)
class ReservationRequest:
    """A payment to reserve the provider's currency for, with the quote that its terms bind."""

    terms: PaymentTerms
    quote: Quote


@dataclass(frozen=True)
class SignedAgreement:
    """The provider's settlement key's signature (65 bytes) over the EIP-712 digest of `agreement`."""

    agreement: Agreement
    signature: bytes


@dataclass(frozen=True)
class Reserved:
    """Which payments are reserved. The agreement's tree has their leaves in the order of `uetrs`."""

    uetrs: tuple[str, ...]
    refused: tuple[Refusal, ...]
    agreement: SignedAgreement | None


@dataclass(frozen=True)
class CosignRequest:
    """A batch and those of its payments that name the provider."""

    batch: Batch
    own: tuple[IncludedPayment, ...]


@dataclass(frozen=True)
class Cosignature:
    """The provider's two signatures on one batch (65 bytes each)."""

    batch_hash: bytes
    settlement_signature: bytes
    attestation: Attestation
    attestation_signature: bytes

    @property
    def endorsement(self) -> Endorsement:
        """The form in which a signed batch carries them."""
        return Endorsement(self.settlement_signature, self.attestation, self.attestation_signature)


class BridgeClient:
    """One FX provider's bridge. Every method raises PeerUnavailable when no provable answer comes, and PeerRefusal
    when the whole request was refused."""

    def __init__(self, client: PeerClient, peer: Peer) -> None:
        self._client, self._peer = client, peer

    def quote(self, requests: Sequence[QuoteRequest]) -> list[FirmQuote | Refusal]:
        """One answer per request, in order; each `MAX_ITEMS` of them are one signed request and one commit."""
        answers: list[FirmQuote | Refusal] = []
        for part in _parts(requests):
            answer = self._post("/peer/v1/quotes", {"requests": [_quote_request(request) for request in part]})
            items = _items(answer, "quotes", len(part))
            answers += [
                _answer(FirmQuote, "request_id", request.request_id, item)
                for request, item in zip(part, items, strict=True)
            ]
        return answers

    def reserve(self, payments: Sequence[ReservationRequest]) -> list[Reserved]:
        """One answer, with an agreement of its own, for each `MAX_ITEMS` payments. Harmless to ask again."""
        return [self._reserve(part) for part in _parts(payments)]

    def release(self, uetrs: Sequence[str]) -> list[str]:
        """Those of `uetrs` that are reserved no more, because they were released now or before."""
        released: list[str] = []
        for part in _parts(uetrs):
            answer = self._post("/peer/v1/reservations/release", {"uetrs": list(part)})
            released += _released(answer)
        return released

    def cosign(self, requests: Sequence[CosignRequest]) -> list[Cosignature | Refusal]:
        """One answer per request, in order. Harmless to ask again."""
        answers: list[Cosignature | Refusal] = []
        for part in _parts(requests, MAX_BATCHES_PER_CALL):
            answer = self._post("/peer/v1/cosignatures", {"requests": [to_document(request) for request in part]})
            items = _items(answer, "cosignatures", len(part))
            answers += [
                _answer(Cosignature, "batch_hash", "0x" + batch_hash(request.batch).hex(), item)
                for request, item in zip(part, items, strict=True)
            ]
        return answers

    def _reserve(self, payments: Sequence[ReservationRequest]) -> Reserved:
        answer = self._post("/peer/v1/reservations", {"payments": [to_document(payment) for payment in payments]})
        reserved = _read(lambda: _reserved(answer))
        asked = [payment.terms.uetr for payment in payments]
        if sorted(asked) != sorted([*reserved.uetrs, *(refusal.item for refusal in reserved.refused)]):
            raise PeerUnavailable("the bridge's answer is about other payments")
        if bool(reserved.uetrs) != (reserved.agreement is not None):
            raise PeerUnavailable("the bridge's answer lacks its agreement")
        return reserved

    def _post(self, path: str, content: Mapping[str, Any]) -> Any:
        return self._client.post(self._peer, path, json.dumps(content, separators=(",", ":")).encode())


def refusal_document(refusal: Refusal, key: str) -> dict[str, str]:
    """The JSON form of a refusal, which names its item under `key`: "uetr", "request_id" or "batch_hash"."""
    return {
        key: refusal.item,
        "problem": refusal.problem,
        "reason": refusal.reason,
        "detail": refusal.detail,
    }


def _quote_request(request: QuoteRequest) -> dict[str, Any]:
    amounts = {"target_amount": request.target_amount, "source_amount": request.source_amount}
    asked: dict[str, Any] = {
        "request_id": request.request_id,
        "source_currency": request.source_currency,
        "target_currency": request.target_currency,
    }
    asked |= {name: str(amount) for name, amount in amounts.items() if amount is not None}
    # Bridges that know no returns refuse unknown members, and need not hear of this one.
    return asked | ({"original_uetr": request.original_uetr} if request.original_uetr else {})


def _released(answer: Any) -> list[str]:
    return _read(lambda: [str(uetr) for uetr in answer["released"]])


def _reserved(answer: Any) -> Reserved:
    signed = answer["agreement"]
    return Reserved(
        tuple(str(uetr) for uetr in answer["reserved"]),
        tuple(_refusal("uetr", item) for item in answer["refused"]),
        None if signed is None else from_document(SignedAgreement, signed),
    )


def _answer(kind: type[Answer], key: str, asked: str, item: Any) -> Answer | Refusal:
    if _read(lambda: item[key]) != asked:
        raise PeerUnavailable("the bridge's answer is about another question")
    return _read(lambda: _refusal(key, item) if "problem" in item else from_document(kind, item))


def _refusal(key: str, item: Mapping[str, Any]) -> Refusal:
    return Refusal(str(item[key]), str(item["problem"]), str(item["reason"]), str(item["detail"]))


def _items(answer: Any, member: str, count: int) -> list[Any]:
    items = _read(lambda: list(answer[member]))
    if len(items) != count:
        raise PeerUnavailable("the bridge's answer does not have one item per question")
    return items


def _parts(items: Sequence[Answer], size: int = MAX_ITEMS) -> list[Sequence[Answer]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _read(reading: Callable[[], Answer]) -> Answer:
    try:
        return reading()
    except (KeyError, TypeError, Malformed) as failure:
        raise PeerUnavailable(f"the bridge's answer cannot be read: {failure}") from failure
