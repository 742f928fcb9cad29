"""Returns in any parts: together they repay exactly what was paid, and never more than was received is given back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reservations.states import State
from bridge.returns.rules import Original, check_still_due, price_of_return
from contracts.terms.errors import BadAmount, LimitExceeded, QuoteExpired
from contracts.terms.money import currency
from contracts.terms.quote import Quote

WALLET, ACQUIRER, PROVIDER = (f"0x{digit * 40}" for digit in "123")
CURRENCIES = [currency(code) for code in ("CNY", "THB", "JPY", "KWD")]

pairs = st.permutations(CURRENCIES)
amounts = st.one_of(st.integers(1, 50), st.integers(1, 10**15))


@st.composite
def payments(draw: st.DrawFn) -> Original:
    """A settled payment of any amounts, of which nothing is returned yet."""
    source, target, *_ = draw(pairs)
    paid, received = draw(amounts), draw(amounts)
    return Original(State.SETTLED, False, WALLET, ACQUIRER, source, paid, target, received, "2024-03-01")


def quoted(original: Original, amount: int) -> Quote:
    """The quote for a return of `amount`."""
    price = price_of_return(original, amount)
    source, target = original.target.numeric, original.source.numeric
    return Quote(PROVIDER, ACQUIRER, source, price.source_amount, target, price.target_amount, 0, b"\1" * 32)


def left(original: Original) -> int:
    return original.received - original.returned


@given(payments(), st.data())
def test_returns_in_any_parts_repay_exactly_what_was_paid(original: Original, data: st.DataObject) -> None:
    residue, fresh = Fraction(0), original
    for _ in range(data.draw(st.integers(0, 6))):
        if left(original) == 1:
            break
        amount = data.draw(st.integers(1, left(original) - 1))
        try:
            price = price_of_return(original, amount)
        except BadAmount:
            continue
        original, residue = original.after(quoted(original, amount)), residue + price.residue
        exact = Fraction(fresh.paid * original.returned, fresh.received)
        assert 0 <= exact - original.repaid < 1
        assert residue == exact - original.repaid
    rest = price_of_return(original, left(original))
    assert original.repaid + rest.target_amount == fresh.paid
    assert residue + rest.residue == 0
    assert rest.residue_currency == fresh.source


@given(payments(), st.integers(0, 10**15), st.integers(1, 10**15))
def test_not_one_unit_more_than_was_received_is_given_back(original: Original, part: int, over: int) -> None:
    if 0 < part < original.received and original.paid * part >= original.received:
        original = original.after(quoted(original, part))
    if left(original) + over <= 10**15:
        with pytest.raises(LimitExceeded) as refused:
            price_of_return(original, left(original) + over)
        assert refused.value.iso_reason == "AM09"
    assert original.repaid + price_of_return(original, left(original)).target_amount == original.paid


@given(payments(), st.data())
def test_whichever_reservations_expire_the_rest_repays_the_rest(original: Original, data: st.DataObject) -> None:
    """Returns that are reserved and come to nothing change the order of the parts, never the sum."""
    fresh, reserved = original, list[Quote]()

    def now() -> Original:
        current = fresh
        for quote in reserved:
            current = current.after(quote)
        return current

    for _ in range(data.draw(st.integers(1, 12))):
        if reserved and data.draw(st.booleans()):
            reserved.pop(data.draw(st.integers(0, len(reserved) - 1)))
        elif left(now()) > 1:
            try:
                reserved.append(quoted(now(), data.draw(st.integers(1, left(now()) - 1))))
            except BadAmount:
                continue
    rest = price_of_return(now(), left(now()))
    assert now().repaid + rest.target_amount == fresh.paid


@given(payments(), st.data())
def test_a_price_that_another_return_changed_is_due_no_more(original: Original, data: st.DataObject) -> None:
    amount, other = (data.draw(st.integers(1, original.received)) for _ in range(2))
    try:
        quote, earlier = quoted(original, amount), quoted(original, other)
    except BadAmount:
        return
    check_still_due(original, quote)
    after = original.after(earlier)
    if amount + other > original.received:
        with pytest.raises(LimitExceeded):
            check_still_due(after, quote)
    elif original.paid * (amount + other) // original.received == quote.target_amount + earlier.target_amount:
        check_still_due(after, quote)
    else:
        with pytest.raises(QuoteExpired):
            check_still_due(after, quote)


def test_a_return_by_hand() -> None:
    # 10.00 CNY were paid for 33.33 THB. A third back is 3.33 CNY and a third of a fen stays; the next ones take it on.
    thb, cny = currency("THB"), currency("CNY")
    original = Original(State.SETTLED, False, WALLET, ACQUIRER, cny, 1_000, thb, 3_333, "2024-03-01")
    parts = []
    for amount in (1_111, 1_111, 1_111):
        parts.append(price_of_return(original, amount))
        original = original.after(quoted(original, amount))
    assert [part.target_amount for part in parts] == [333, 333, 334]
    assert [part.residue for part in parts] == [Fraction(1, 3), Fraction(1, 3), Fraction(-2, 3)]
    assert (original.returned, original.repaid) == (3_333, 1_000)


def test_the_rate_of_a_return_is_in_major_units() -> None:
    # 110 JPY (no minor units) were paid for 1.00 SGD: 1 SGD repays 110 JPY.
    original = Original(
        State.SETTLED, False, WALLET, ACQUIRER, currency("JPY"), 110, currency("SGD"), 100, "2024-03-01"
    )
    assert original.rate == 110
