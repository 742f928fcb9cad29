"""Returns over HTTP: at the original's own rate, to the minor unit, and never more than was received."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from bridge.client import FirmQuote, QuoteRequest, Refusal, ReservationRequest
from contracts.terms.commitments import quotes_hash
from contracts.terms.identifiers import new_uetr
from contracts.terms.payment import Leg
from serving.client import PeerRefusal

CNY, THB, SGD = 156, 764, 702
RECEIVED = 100_003
LANE = 6


def settled(stage: Any, requests: list[ReservationRequest], by: str) -> list[ReservationRequest]:
    batch = stage.batch_of(requests, LANE)
    stage.settle(batch, stage.cosigned(batch, by).endorsement)
    assert {stage.state(request.terms.uetr) for request in requests} == {"settled"}
    return requests


def paid(stage: Any, amount: int = RECEIVED) -> ReservationRequest:
    """A settled payment from the wallet to the acquirer."""
    [original] = settled(stage, [stage.reserved(amount)], "wallet")
    return original


def asked(original: ReservationRequest, amount: int, **changes: object) -> QuoteRequest:
    asking = QuoteRequest(new_uetr(), THB, CNY, source_amount=amount, original_uetr=original.terms.uetr)
    return replace(asking, **changes)  # type: ignore[arg-type]


def answered(stage: Any, original: ReservationRequest, amount: int, by: str = "acquirer") -> FirmQuote | Refusal:
    [answer] = stage.calls(by).quote([asked(original, amount)])
    assert isinstance(answer, FirmQuote | Refusal)
    return answer


def returning(stage: Any, original: ReservationRequest, amount: int, **changes: object) -> ReservationRequest:
    """A return of the acquirer, just as its quote says."""
    firm = answered(stage, original, amount)
    assert isinstance(firm, FirmQuote), firm
    request: ReservationRequest = stage.payment(firm, **{"original_uetr": original.terms.uetr} | changes)
    return request


def returned(stage: Any, original: ReservationRequest, amount: int) -> ReservationRequest:
    """A return of the acquirer that the bridge has reserved."""
    request = returning(stage, original, amount)
    assert stage.reserve(request, by="acquirer").refused == ()
    return request


def held(stage: Any) -> dict[int, tuple[int, int]]:
    """Stock and open conversion in each currency that there is any of."""
    rows = stage.get("/v1/positions")["positions"]
    found = {row["currency"]: (int(row["stock"]), int(row["conversion"])) for row in rows}
    return {code: amounts for code, amounts in found.items() if any(amounts)}


def problem(answer: Any) -> tuple[str, str]:
    refusal = answer if isinstance(answer, Refusal) else answer.refused[0]
    return refusal.problem, refusal.reason


def test_half_is_returned_at_the_original_rate_then_the_rest_and_not_one_unit_more(stage: Any) -> None:
    before = held(stage)
    original = paid(stage)
    cost = original.quote.source_amount
    firm = answered(stage, original, 50_001)
    assert isinstance(firm, FirmQuote)
    own = stage.get(f"/v1/quotes/0x{original.quote.nonce.hex()}")
    assert (firm.quote.source_currency, firm.quote.target_currency) == (THB, CNY)
    assert firm.quote.target_amount == cost * 50_001 // RECEIVED
    assert (firm.rate_date, firm.spread_bp) == (own["rate_date"], 0)
    kept = stage.get(f"/v1/quotes/0x{firm.quote.nonce.hex()}")
    assert (Fraction(kept["rate"]), kept["original_uetr"]) == (Fraction(cost, RECEIVED), original.terms.uetr)
    assert Fraction(kept["residue"]) == Fraction(cost * 50_001 % RECEIVED, RECEIVED)
    half = stage.payment(firm, original_uetr=original.terms.uetr)
    assert stage.reserve(half, by="acquirer").uetrs == (half.terms.uetr,)
    settled(stage, [half], "acquirer")
    assert problem(answered(stage, original, 50_003)) == ("limit-exceeded", "AM09")
    [rest] = settled(stage, [returned(stage, original, 50_002)], "acquirer")
    assert half.quote.target_amount + rest.quote.target_amount == cost
    assert problem(answered(stage, original, 1)) == ("limit-exceeded", "AM09")
    assert held(stage) == before


def test_returns_in_one_batch_repay_exactly_what_was_paid(stage: Any) -> None:
    original = paid(stage)
    parts = [returned(stage, original, amount) for amount in (33_333, 17, 4_999, RECEIVED - 38_349)]
    settled(stage, parts, "acquirer")
    assert sum(part.quote.target_amount for part in parts) == original.quote.source_amount
    assert problem(answered(stage, original, 1)) == ("limit-exceeded", "AM09")
    rows = {row["uetr"]: row for row in stage.get("/v1/reservations?limit=500")["reservations"]}
    assert {rows[part.terms.uetr]["original_uetr"] for part in parts} == {original.terms.uetr}
    assert rows[original.terms.uetr]["original_uetr"] is None


def test_only_the_creditor_agent_of_a_settled_payment_returns_it(stage: Any) -> None:
    unsettled = stage.reserved(1_000)
    assert problem(answered(stage, unsettled, 500)) == ("wrong-state", "AM05")
    stage.calls("wallet").release([unsettled.terms.uetr])
    assert problem(answered(stage, unsettled, 500)) == ("wrong-state", "AM05")
    unknown = replace(unsettled, terms=replace(unsettled.terms, uetr=new_uetr()))
    assert problem(answered(stage, unknown, 500))[0] == "not-found"
    original = paid(stage)
    assert problem(answered(stage, original, 500, by="wallet")) == ("not-found", "RR09")
    back = returned(stage, original, 1_000)
    settled(stage, [back], "acquirer")
    again = asked(back, 100, source_currency=CNY, target_currency=THB)
    [answer] = stage.calls("wallet").quote([again])
    assert problem(answer)[0] == "unsupported"


def test_a_return_is_asked_for_in_the_original_s_currencies_by_what_is_given_back(stage: Any) -> None:
    original = paid(stage)
    wrong = [
        asked(original, 100, source_currency=SGD),
        asked(original, 100, source_currency=CNY, target_currency=THB),
        asked(original, 100, target_amount=100),
        asked(original, 100, source_amount=None, target_amount=100),
        asked(original, 0),
        asked(original, 1),
        asked(original, 10**15 + 1),
        asked(original, RECEIVED + 1),
        asked(original, RECEIVED),
    ]
    answers = stage.calls("acquirer").quote(wrong)
    assert [answer.problem if isinstance(answer, Refusal) else "" for answer in answers] == [
        "not-agreed",
        "not-agreed",
        "malformed",
        "malformed",
        "bad-amount",
        "bad-amount",
        "bad-amount",
        "limit-exceeded",
        "",
    ]


def test_a_return_is_reserved_only_as_its_quote_was_given(stage: Any) -> None:
    original, other = settled(stage, [stage.reserved(RECEIVED) for _ in range(2)], "wallet")
    request = returning(stage, original, 1_000)
    stranger, quote = stage.account("bank"), request.quote
    elsewhere = (request.terms.legs[0], Leg(stage.account("provider"), stranger, CNY, quote.target_amount))
    for changes in (
        {"original_uetr": ""},
        {"original_uetr": other.terms.uetr},
        {"creditor_agent": stranger, "legs": elsewhere},
    ):
        changed = replace(request, terms=replace(request.terms, **changes))
        assert problem(stage.reserve(changed, by="acquirer")) == ("not-agreed", "AM09")
    plain = stage.payment(stage.bought(1_000), original_uetr=original.terms.uetr)
    assert problem(stage.reserve(plain)) == ("not-agreed", "AM09")
    raised = replace(quote, target_amount=quote.target_amount + 1)
    legs = (request.terms.legs[0], replace(request.terms.legs[1], amount=raised.target_amount))
    dearer = replace(request.terms, legs=legs, quotes_hash=quotes_hash([raised]))
    assert problem(stage.reserve(ReservationRequest(dearer, raised), by="acquirer")) == ("not-agreed", "AM09")
    assert stage.reserve(request, by="acquirer").uetrs == (request.terms.uetr,)
    assert stage.reserve(request, by="acquirer").uetrs == (request.terms.uetr,)


def test_what_expires_or_is_released_gives_its_room_back(stage: Any) -> None:
    original = paid(stage)
    first = returned(stage, original, RECEIVED)
    assert problem(answered(stage, original, 1)) == ("limit-exceeded", "AM09")
    assert stage.calls("acquirer").release([first.terms.uetr]) == [first.terms.uetr]
    second = returned(stage, original, RECEIVED)
    stage.pass_time(120)
    assert stage.state(second.terms.uetr) == "released"
    third = returned(stage, original, RECEIVED)
    assert third.quote.target_amount == original.quote.source_amount
    assert stage.reserve(first, by="acquirer").refused[0].problem == "wrong-state"


def test_a_list_of_returns_is_counted_together(stage: Any) -> None:
    original = paid(stage)
    most, rest = (returning(stage, original, amount) for amount in (60_000, 60_000))
    answer = stage.reserve(most, rest, by="acquirer")
    assert answer.uetrs == (most.terms.uetr,)
    assert problem(answer) == ("limit-exceeded", "AM09")


def test_a_price_that_other_returns_have_changed_is_asked_for_anew(stage: Any) -> None:
    original = paid(stage)
    cost, parts = original.quote.source_amount, (50_001, 50_002)
    early = [returning(stage, original, amount) for amount in parts]
    assert sum(cost * amount // RECEIVED for amount in parts) == cost - 1
    assert stage.reserve(early[0], by="acquirer").refused == ()
    assert problem(stage.reserve(early[1], by="acquirer")) == ("quote-expired", "TM01")
    late = returned(stage, original, parts[1])
    assert early[0].quote.target_amount + late.quote.target_amount == cost


def test_sixteen_threads_never_return_more_than_was_received(stage: Any) -> None:
    original, part = paid(stage), 9_000
    all_quoted = threading.Barrier(16)

    def give_back(_: int) -> list[ReservationRequest]:
        """Quoted while nothing is returned; then each as often as it takes until nothing is left for it."""
        request, done = returning(stage, original, part), list[ReservationRequest]()
        all_quoted.wait()
        while True:
            answer = stage.reserve(request, by="acquirer")
            if answer.uetrs:
                done.append(request)
            elif answer.refused[0].problem == "limit-exceeded":
                return done
            else:
                assert answer.refused[0].problem == "quote-expired"
            firm = answered(stage, original, part)
            if isinstance(firm, Refusal):
                assert problem(firm) == ("limit-exceeded", "AM09")
                return done
            request = stage.payment(firm, original_uetr=original.terms.uetr)

    with ThreadPoolExecutor(16) as threads:
        done = [request for requests in threads.map(give_back, range(16)) for request in requests]
    assert len(done) == RECEIVED // part
    repaid = sum(request.quote.target_amount for request in done)
    assert repaid == original.quote.source_amount * len(done) * part // RECEIVED
    rest = returned(stage, original, RECEIVED - len(done) * part)
    assert repaid + rest.quote.target_amount == original.quote.source_amount


@pytest.mark.parametrize("wrong", ["", "not a uetr", "6A1F2C30-5D0E-4B8A-9C3D-0123456789AB"])
def test_the_original_goes_over_the_wire_only_when_it_is_set(stage: Any, wrong: str) -> None:
    """The door refuses an empty text as it refuses every other that is no UETR."""
    asking = replace(stage.ask(1_000), original_uetr=wrong)
    if not wrong:
        assert isinstance(stage.calls("wallet").quote([asking])[0], FirmQuote)
        return
    with pytest.raises(PeerRefusal, match="UETR"):
        stage.calls("wallet").quote([asking])
