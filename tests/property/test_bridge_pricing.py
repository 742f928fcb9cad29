"""Prices for any rate, spread and amount: the provider loses nothing, and no fraction of a minor unit is unowned."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.rates.pricing import BASIS_POINTS, Pair, buyer_rate, price_of_source, price_of_target
from contracts.terms.money import MAX_MINOR_UNITS, currency

CURRENCIES = [currency(code) for code in ("CNY", "THB", "SGD", "JPY", "EUR", "KWD", "IDR")]

pairs = st.permutations(CURRENCIES).map(lambda units: Pair(units[0], units[1]))
published = st.decimals(min_value="0.0001", max_value="99999", places=4).map(Fraction)
mids = st.tuples(published, published).map(lambda per_euro: per_euro[1] / per_euro[0])
spreads = st.integers(0, 1_000)
amounts = st.integers(1, 10**9)


def value_in_target(pair: Pair, mid: Fraction, source_amount: int) -> Fraction:
    """What an amount of the source currency is worth at mid, in minor units of the target currency."""
    return source_amount * mid * Fraction(10**pair.target.decimals, 10**pair.source.decimals)


def payable(exact: Fraction) -> bool:
    return 1 <= exact <= MAX_MINOR_UNITS


@given(pairs, mids, spreads, amounts)
def test_the_provider_earns_at_least_the_spread(pair: Pair, mid: Fraction, spread: int, amount: int) -> None:
    rate = buyer_rate(mid, spread)
    assume(value_in_target(pair, rate, MAX_MINOR_UNITS) > amount)
    price = price_of_target(pair, rate, amount)
    received = value_in_target(pair, mid, price.source_amount)
    assert received * (BASIS_POINTS - spread) >= price.target_amount * BASIS_POINTS


@given(pairs, mids, spreads, amounts)
def test_a_fixed_target_costs_the_least_whole_amount_that_covers_it(
    pair: Pair, mid: Fraction, spread: int, amount: int
) -> None:
    rate = buyer_rate(mid, spread)
    assume(value_in_target(pair, rate, MAX_MINOR_UNITS) > amount)
    price = price_of_target(pair, rate, amount)
    assert price.target_amount == amount
    assert 0 <= price.residue < 1
    assert price.residue_currency == pair.source
    assert value_in_target(pair, rate, price.source_amount - price.residue) == amount  # type: ignore[arg-type]


@given(pairs, mids, spreads, amounts)
def test_a_fixed_source_buys_the_most_whole_amount_that_it_covers(
    pair: Pair, mid: Fraction, spread: int, amount: int
) -> None:
    rate = buyer_rate(mid, spread)
    exact = value_in_target(pair, rate, amount)
    assume(payable(exact))
    price = price_of_source(pair, rate, amount)
    assert price.source_amount == amount
    assert 0 <= price.residue < 1
    assert price.residue_currency == pair.target
    assert price.target_amount + price.residue == exact


@given(pairs, mids, spreads, amounts)
def test_what_a_target_costs_buys_that_target(pair: Pair, mid: Fraction, spread: int, amount: int) -> None:
    rate = buyer_rate(mid, spread)
    assume(value_in_target(pair, rate, MAX_MINOR_UNITS) > amount)
    cost = price_of_target(pair, rate, amount).source_amount
    assume(payable(value_in_target(pair, rate, cost)))
    bought = price_of_source(pair, rate, cost).target_amount
    assert bought >= amount
    assert price_of_target(pair, rate, bought).source_amount == cost


@given(pairs, mids, spreads, spreads, amounts)
def test_there_and_back_never_makes_money(
    pair: Pair, mid: Fraction, spread: int, spread_back: int, amount: int
) -> None:
    there = buyer_rate(mid, spread)
    assume(payable(value_in_target(pair, there, amount)))
    bought = price_of_source(pair, there, amount).target_amount
    back = Pair(pair.target, pair.source)
    returned = value_in_target(back, buyer_rate(1 / mid, spread_back), bought)
    assume(payable(returned))
    assert price_of_source(back, buyer_rate(1 / mid, spread_back), bought).target_amount <= amount
