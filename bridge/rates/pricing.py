"""From a reference rate to a firm price: exact fractions, one spread, one rounding, and the provider loses nothing.

The buyer's rate is the mid rate less the spread. With the target amount fixed, the source amount is rounded up; with
the source amount fixed, the target amount is rounded down. What rounding added is the residue, less than one minor
unit; it is the provider's and is kept as an exact fraction with the quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from contracts.terms.money import Currency, payable, round_up

BASIS_POINTS = 10_000
_SHOWN = Context(prec=10, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Pair:
    """Which currency is given (source) for which (target)."""

    source: Currency
    target: Currency


@dataclass(frozen=True)
class Price:
    """Both amounts in minor units, and the residue in minor units of `residue_currency`: 0 <= residue < 1, except that
    a return may give back what earlier ones left (`bridge.returns.rules`)."""

    source_amount: int
    target_amount: int
    residue: Fraction
    residue_currency: Currency


def buyer_rate(mid: Fraction, spread_bp: int) -> Fraction:
    """The rate that a buyer gets: target per source in major units, `spread_bp` basis points below mid."""
    return mid * (BASIS_POINTS - spread_bp) / BASIS_POINTS


def price_of_target(pair: Pair, rate: Fraction, target_amount: int) -> Price:
    """What `target_amount` costs. Raises BadAmount when an amount is none that can be paid."""
    exact = payable(target_amount) / _in_minor_units(pair, rate)
    rounded = round_up(exact)
    return Price(payable(rounded.minor), target_amount, rounded.residue, pair.source)


def price_of_source(pair: Pair, rate: Fraction, source_amount: int) -> Price:
    """What `source_amount` buys. Raises BadAmount when an amount is none that can be paid, such as nothing at all."""
    exact = payable(source_amount) * _in_minor_units(pair, rate)
    # Rounding the negative up rounds the amount down: one rule, seen from the other side.
    rounded = round_up(-exact)
    return Price(source_amount, payable(-rounded.minor), rounded.residue, pair.target)


def shown(rate: Fraction) -> str:
    """A rate as people read it: ten significant digits, without an exponent."""
    return format(_SHOWN.divide(Decimal(rate.numerator), Decimal(rate.denominator)), "f")


def _in_minor_units(pair: Pair, rate: Fraction) -> Fraction:
    return rate * Fraction(10) ** (pair.target.decimals - pair.source.decimals)
