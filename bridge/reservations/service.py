"""Reservations: the provider's currency set aside for payments that are clear on all sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from bridge.client import Refusal, ReservationRequest, Reserved, SignedAgreement
from bridge.context import BridgeContext
from bridge.quotes import repository as quotes
from bridge.refusals import refusal_of
from bridge.reservations import repository
from bridge.reservations.checks import Capacity, Caps, check_request
from bridge.reservations.repository import Reservation
from bridge.reservations.states import Event, State
from bridge.returns.repository import originals
from bridge.returns.rules import check_return, check_still_due
from contracts.terms.attestation import Agreement
from contracts.terms.commitments import agreement_hash, payment_leaf
from contracts.terms.errors import (
    Conflict,
    FeiqianError,
    Malformed,
    QuoteAlreadyUsed,
    ScreeningRefused,
    WrongState,
)
from contracts.terms.identifiers import Address
from contracts.terms.merkle import root_of
from contracts.terms.payment import PaymentTerms

Refusals = dict[str, FeiqianError]


class Reservations:
    """Reserves and releases. Never more is reserved than the stock on chain."""

    def __init__(self, bridge: BridgeContext) -> None:
        self._bridge = bridge
        settings = bridge.settings
        self._caps = Caps(settings.value_caps, settings.counterparty_unsettled_cap)

    def reserve(self, sender: Address, requests: Sequence[ReservationRequest]) -> Reserved:
        """Reserve for each payment or say why not. The same terms again get the same answer.

        Raises Malformed when one UETR stands twice in the list, ChainUnavailable while time stands still and
        ComplianceUnavailable when our compliance does not answer: then nothing new is reserved.
        """
        if len({request.terms.uetr for request in requests}) != len(requests):
            raise Malformed("a UETR stands twice in the list")
        now = self._bridge.chain_now()
        refused, new = self._check(sender, requests, now)
        refused |= self._screen(new)
        clear = [request for request in new if request.terms.uetr not in refused]
        refused |= self._bridge.database.write(lambda connection: self._book(connection, sender, clear))
        return self._answer([request.terms for request in requests], refused)

    def release(self, sender: Address, uetrs: Sequence[str]) -> list[str]:
        """Give back what `sender` had reserved; those of its payments that are released, now or before.

        One that is co-signed in a batch that may still settle stays.
        """
        return self._bridge.database.write(lambda connection: self._release(connection, sender, uetrs))

    def page(self, state: State | None, after: str, limit: int) -> list[Reservation]:
        """Reservations for the operator, in the order of their UETRs."""
        with self._bridge.database.read() as connection:
            return repository.page(connection, state, after, limit)

    def _check(
        self, sender: Address, requests: Sequence[ReservationRequest], now: int
    ) -> tuple[Refusals, list[ReservationRequest]]:
        """The refusals, and the payments that are neither refused nor known."""
        with self._bridge.database.read() as connection:
            known = repository.find(connection, [request.terms.uetr for request in requests])
            ours = quotes.promised(connection, [request.quote.nonce for request in requests], self._bridge.account)
            returned = originals(connection, {original_uetr for _, original_uetr in ours.values()} - {""})
        refused, new = Refusals(), list[ReservationRequest]()
        for request in requests:
            uetr, (promised, original_uetr) = request.terms.uetr, ours.get(request.quote.nonce, (None, ""))
            try:
                if not _is_known(known, request.terms):
                    check_request(request, promised, sender, now, original_uetr)
                    if original_uetr:
                        check_return(returned.get(original_uetr), request.terms, request.quote)
                    new.append(request)
            except FeiqianError as failure:
                refused[uetr] = failure
        return refused, new

    def _screen(self, requests: Sequence[ReservationRequest]) -> Refusals:
        clear = self._bridge.compliance.clear([request.terms for request in requests])
        return {
            request.terms.uetr: ScreeningRefused("the provider's compliance has not cleared the payment")
            for request in requests
            if request.terms.uetr not in clear
        }

    def _book(self, connection: Connection, sender: Address, requests: Sequence[ReservationRequest]) -> Refusals:
        """Decide and record in one transaction, so that two lists can never have the same stock, nor return the same
        part of a payment."""
        capacity = self._capacity(connection, sender)
        known = repository.find(connection, [request.terms.uetr for request in requests])
        used = repository.used_nonces(connection, [request.quote.nonce for request in requests])
        returned = originals(connection, {request.terms.original_uetr for request in requests} - {""})
        refused, booked = Refusals(), list[ReservationRequest]()
        for request in requests:
            try:
                if _is_known(known, request.terms):
                    continue
                if request.quote.nonce in used:
                    raise QuoteAlreadyUsed("the quote is used by another payment; ask for a new one")
                original = returned.get(request.terms.original_uetr)
                if original is not None:
                    check_still_due(original, request.quote)
                capacity.take(request.quote.target_currency, request.quote.target_amount)
            except FeiqianError as failure:
                refused[request.terms.uetr] = failure
                continue
            used.add(request.quote.nonce)
            if original is not None:
                returned[request.terms.original_uetr] = original.after(request.quote)
            booked.append(request)
        repository.add(connection, [(request.terms, request.quote) for request in booked])
        return refused

    def _capacity(self, connection: Connection, counterparty: Address) -> Capacity:
        stock = repository.locked_stock(connection)
        everyone = repository.live_values(connection)
        own = repository.live_values(connection, counterparty)
        return Capacity(
            self._caps,
            available={code: on_chain - everyone.get(code, (0, 0))[0] for code, on_chain in stock.items()},
            reserved={code: value for code, (value, _) in own.items()},
            unsettled=sum(number for _, number in own.values()),
        )

    def _answer(self, asked: Sequence[PaymentTerms], refused: Refusals) -> Reserved:
        reserved = [terms for terms in asked if terms.uetr not in refused]
        return Reserved(
            uetrs=tuple(terms.uetr for terms in reserved),
            refused=tuple(_refusals(asked, refused)),
            agreement=self._agree(reserved) if reserved else None,
        )

    def _agree(self, reserved: Sequence[PaymentTerms]) -> SignedAgreement:
        root = root_of([payment_leaf(terms) for terms in reserved])
        agreement = Agreement(root, len(reserved), max(terms.deadline for terms in reserved))
        return SignedAgreement(agreement, self._bridge.sign(agreement_hash(agreement), self._bridge.office.incumbent))

    def _release(self, connection: Connection, sender: Address, uetrs: Sequence[str]) -> list[str]:
        known = repository.find(connection, uetrs)
        own = [uetr for uetr in uetrs if uetr in known and known[uetr].counterparty == sender]
        moved = repository.move(connection, own, State.RESERVED, Event.RELEASE, self._bridge.clock.final_time())
        return [uetr for uetr in own if uetr in moved or known[uetr].state is State.RELEASED]


def _is_known(known: Mapping[str, Reservation], terms: PaymentTerms) -> bool:
    """Whether exactly this payment is reserved. Raises Conflict for other terms, WrongState once it was released."""
    reservation = known.get(terms.uetr)
    if reservation is None:
        return False
    if reservation.leaf != payment_leaf(terms):
        raise Conflict("another payment was reserved under this UETR")
    if reservation.state is State.RELEASED:
        raise WrongState("the reservation was released or has expired; a new payment needs a new UETR")
    return True


def _refusals(asked: Sequence[PaymentTerms], refused: Refusals) -> list[Refusal]:
    return [refusal_of(terms.uetr, refused[terms.uetr]) for terms in asked if terms.uetr in refused]
