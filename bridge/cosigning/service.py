"""Co-signing: the provider puts its two names to a batch, once it is sure and has durably said so to itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from sqlalchemy import Connection

from bridge.attesting import SignedAttestation
from bridge.client import Cosignature, CosignRequest, Refusal
from bridge.context import BridgeContext
from bridge.refusals import refusal_of
from bridge.reservations import repository
from bridge.reservations.states import LIVE, Event, State
from contracts.terms.commitments import batch_hash, payment_leaf
from contracts.terms.cosigning import check_batch
from contracts.terms.errors import ComplianceUnavailable, FeiqianError, Forbidden, NotAgreed
from contracts.terms.identifiers import Address

Outcome = CosignRequest | Refusal
Signed = tuple[CosignRequest, SignedAttestation]


class Cosigning:
    """Checks, attests, records, signs: in that order, each on the whole list."""

    def __init__(self, bridge: BridgeContext) -> None:
        self._bridge = bridge

    def cosign(self, sender: Address, requests: Sequence[CosignRequest]) -> list[Cosignature | Refusal]:
        """One co-signature or refusal per batch, in order. Asking again is harmless.

        Raises ChainUnavailable while time stands still, ComplianceUnavailable when our compliance does not answer.
        """
        settlement = self._bridge.office.incumbent
        checked = self._check(sender, requests, self._bridge.chain_now())
        attested = iter(self._attest([request for request in checked if isinstance(request, CosignRequest)]))
        outcomes = [each if isinstance(each, Refusal) else next(attested) for each in checked]
        recorded = [each if isinstance(each, Refusal) else self._record(*each, settlement) for each in outcomes]
        return [each if isinstance(each, Refusal) else self._sign(*each, settlement) for each in recorded]

    def _check(self, sender: Address, requests: Sequence[CosignRequest], now: int) -> list[Outcome]:
        with self._bridge.database.read() as connection:
            return [self._check_one(connection, sender, request, now) for request in requests]

    def _check_one(self, connection: Connection, sender: Address, request: CosignRequest, now: int) -> Outcome:
        try:
            if request.batch.debtor_agent != sender:
                raise Forbidden("only the debtor agent of a batch asks for its co-signatures")
            check_batch(request.batch, request.own, self._bridge.account, now)
            _require_reserved(connection, request)
        except FeiqianError as refused:
            return _refusal(request, refused)
        return request

    def _attest(self, requests: Sequence[CosignRequest]) -> list[Signed | Refusal]:
        answers = self._bridge.compliance.attest(requests)
        return [_attested(request, answer) for request, answer in zip(requests, answers, strict=True)]

    def _record(
        self, request: CosignRequest, signed: SignedAttestation, settlement: Address
    ) -> tuple[Future[None], Signed]:
        """Queue the durable record; all batches of the list share one commit."""
        future = self._bridge.database.submit(lambda connection: self._remember(connection, request, settlement))
        return future, (request, signed)

    def _remember(self, connection: Connection, request: CosignRequest, settlement: Address) -> None:
        _require_reserved(connection, request)
        uetrs = [payment.terms.uetr for payment in request.own]
        self._bridge.signed.record(connection, request.batch, uetrs, settlement)
        repository.move(connection, uetrs, State.RESERVED, Event.SIGN, self._bridge.clock.final_time())

    def _sign(self, recorded: Future[None], signed: Signed, settlement: Address) -> Cosignature | Refusal:
        request, attested = signed
        try:
            recorded.result()
        except FeiqianError as refused:
            return _refusal(request, refused)
        name = batch_hash(request.batch)
        return Cosignature(name, self._bridge.sign(name, settlement), attested.attestation, attested.signature)


def _require_reserved(connection: Connection, request: CosignRequest) -> None:
    """Refuse a batch with a payment that is not, with exactly these terms, reserved. Raises NotAgreed."""
    known = repository.standing(connection, [payment.terms.uetr for payment in request.own])
    for payment in request.own:
        state, leaf = known.get(payment.terms.uetr, (None, b""))
        if state not in LIVE:
            raise NotAgreed("the payment is not reserved", uetr=payment.terms.uetr)
        if leaf != payment_leaf(payment.terms):
            raise NotAgreed("the payment's terms are not those that were reserved", uetr=payment.terms.uetr)


def _attested(request: CosignRequest, answer: SignedAttestation | Refusal) -> Signed | Refusal:
    if isinstance(answer, Refusal):
        return answer
    if answer.attestation.valid_until < request.batch.deadline:
        return _refusal(request, ComplianceUnavailable("our compliance's attestation ends before the batch does"))
    return request, answer


def _refusal(request: CosignRequest, error: FeiqianError) -> Refusal:
    return refusal_of("0x" + batch_hash(request.batch).hex(), error)
