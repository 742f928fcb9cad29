"""What a bridge decides without a chain or a database: who may have what reserved, and a reservation's life."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.client import ReservationRequest
from bridge.reservations.checks import MAX_RESERVED, Capacity, Caps, check_request, quoted_legs
from bridge.reservations.states import LIVE, TRANSITIONS, Event, State, advance
from contracts.terms.commitments import quotes_hash
from contracts.terms.errors import (
    DeadlinePassed,
    FeiqianError,
    Forbidden,
    InsufficientFunds,
    LimitExceeded,
    NotAgreed,
    QuoteExpired,
    WrongState,
)
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote

CNY, THB, SGD = 156, 764, 702
NOW = 1_700_000_000
WALLET, ACQUIRER, PROVIDER, STRANGER = (f"0x{digit * 40}" for digit in "1234")
HASH = b"\x07" * 32

QUOTE = Quote(PROVIDER, WALLET, CNY, 10_000, THB, 45_000, NOW + 60, b"\x01" * 32)


def request(**changes: object) -> ReservationRequest:
    """A payment exactly as the quote says, with these of its terms changed."""
    terms = PaymentTerms(
        uetr="6a1f2c30-5d0e-4b8a-9c3d-0123456789ab",
        debtor_agent=WALLET,
        creditor_agent=ACQUIRER,
        legs=(),
        quotes_hash=quotes_hash([QUOTE]),
        debtor_commitment=HASH,
        creditor_commitment=HASH,
        debtor_decision=HASH,
        creditor_decision=HASH,
        deadline=NOW + 30,
    )
    terms = replace(terms, legs=quoted_legs(terms, QUOTE))
    return ReservationRequest(replace(terms, **changes), QUOTE)  # type: ignore[arg-type]


def test_a_payment_that_is_as_quoted_passes() -> None:
    check_request(request(), QUOTE, WALLET, NOW)
    check_request(request(deadline=NOW + MAX_RESERVED), QUOTE, WALLET, QUOTE.expires - 60)


LEGS = request().terms.legs


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"debtor_agent": STRANGER}, Forbidden),
        ({"quotes_hash": HASH}, NotAgreed),
        ({"creditor_agent": STRANGER}, NotAgreed),
        ({"legs": LEGS[:1]}, NotAgreed),
        ({"legs": LEGS[::-1]}, NotAgreed),
        ({"legs": (*LEGS, Leg(WALLET, PROVIDER, CNY, 1))}, NotAgreed),
        ({"legs": (LEGS[0], replace(LEGS[1], amount=LEGS[1].amount + 1))}, NotAgreed),
        ({"legs": (replace(LEGS[0], amount=LEGS[0].amount - 1), LEGS[1])}, NotAgreed),
        ({"legs": (replace(LEGS[0], currency=SGD), LEGS[1])}, NotAgreed),
        ({"deadline": NOW}, DeadlinePassed),
        ({"deadline": NOW + MAX_RESERVED + 1}, NotAgreed),
    ],
)
def test_a_payment_that_is_not_as_quoted_is_refused(changes: dict[str, object], refusal: type[FeiqianError]) -> None:
    with pytest.raises(refusal):
        check_request(request(**changes), QUOTE, WALLET, NOW)


def test_only_the_buyer_of_a_quote_of_ours_may_use_it_and_only_in_time() -> None:
    with pytest.raises(Forbidden):
        check_request(request(), QUOTE, STRANGER, NOW)
    with pytest.raises(NotAgreed):
        check_request(request(), None, WALLET, NOW)
    with pytest.raises(NotAgreed):
        check_request(request(), replace(QUOTE, source_amount=QUOTE.source_amount + 1), WALLET, NOW)
    check_request(request(deadline=QUOTE.expires + 9), QUOTE, WALLET, QUOTE.expires)
    with pytest.raises(QuoteExpired):
        check_request(request(deadline=QUOTE.expires + 9), QUOTE, WALLET, QUOTE.expires + 1)


def test_the_provider_is_no_agent_of_what_it_converts() -> None:
    terms = replace(request().terms, creditor_agent=PROVIDER)
    own = ReservationRequest(replace(terms, legs=quoted_legs(terms, QUOTE)), QUOTE)
    with pytest.raises(NotAgreed):
        check_request(own, QUOTE, WALLET, NOW)


def test_stock_is_taken_to_the_last_minor_unit_and_no_further() -> None:
    capacity = Capacity(Caps({}, 10), {THB: 100}, {}, 0)
    capacity.take(THB, 60)
    with pytest.raises(InsufficientFunds):
        capacity.take(THB, 41)
    capacity.take(THB, 40)
    with pytest.raises(InsufficientFunds):
        capacity.take(THB, 1)
    with pytest.raises(InsufficientFunds):
        capacity.take(CNY, 1)


def test_a_counterparty_is_capped_by_value_and_by_number() -> None:
    capacity = Capacity(Caps({THB: 50}, 3), {THB: 1_000, CNY: 1_000}, {THB: 20}, 1)
    with pytest.raises(LimitExceeded):
        capacity.take(THB, 31)
    capacity.take(THB, 30)
    capacity.take(CNY, 900)
    with pytest.raises(LimitExceeded):
        capacity.take(CNY, 1)


def test_the_life_of_a_reservation_ends_for_ever() -> None:
    assert {source for source, _ in TRANSITIONS} == set(LIVE)
    assert advance(State.RESERVED, Event.SIGN) is State.SIGNED
    for over in (State.SETTLED, State.RELEASED):
        for event in Event:
            with pytest.raises(WrongState):
                advance(over, event)


def test_what_is_signed_goes_free_only_once_its_batches_are_dead() -> None:
    for event in (Event.RELEASE, Event.EXPIRE):
        with pytest.raises(WrongState):
            advance(State.SIGNED, event)
    with pytest.raises(WrongState):
        advance(State.RESERVED, Event.SETTLE)
