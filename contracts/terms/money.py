"""Money: integers in ISO 4217 minor units, and the one rounding rule.

A float never holds money. People read and write decimals (`parse_decimal`, `format_decimal`); everything else
carries minor units, as integers in Python and SQL and as strings of digits in JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from contracts.terms.currencies import CURRENCIES
from contracts.terms.errors import BadAmount, UnknownCurrency

MinorUnits = Annotated[int, "minor units"]
"""An amount; its JSON form is a string of digits (uint128)."""

SignedMinorUnits = Annotated[int, "signed minor units"]
"""What is added to (or, negative, taken from) a balance; its JSON form is a string of digits (int128)."""

MAX_MINOR_UNITS = 10**15
"""No single amount may be larger: it keeps every sum far inside 63 bits, the widest integer both databases store."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,4}))?", re.ASCII)
_MINOR = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, order=True)
class Currency:
    """One ISO 4217 currency: alphabetic code, numeric code, decimals of its minor unit."""

    alpha: str
    numeric: int
    decimals: int

    def __str__(self) -> str:
        return self.alpha


_BY_ALPHA = {alpha: Currency(alpha, numeric, decimals) for alpha, (numeric, decimals) in CURRENCIES.items()}
_BY_NUMERIC = {currency.numeric: currency for currency in _BY_ALPHA.values()}


def currency(code: str | int) -> Currency:
    """Look a currency up by alphabetic code ("THB") or numeric code (764). Raises UnknownCurrency."""
    found = _BY_NUMERIC.get(code) if isinstance(code, int) else _BY_ALPHA.get(code)
    if found is None:
        raise UnknownCurrency(f"{code!r} is no active ISO 4217 currency; use a code such as THB", currency=str(code))
    return found


@dataclass(frozen=True)
class Money:
    """An amount of one currency, in its minor units."""

    minor: int
    currency: Currency

    def __str__(self) -> str:
        return f"{self.currency.alpha} {format_decimal(self.minor, self.currency)}"


def parse_minor(text: str) -> int:
    """Read a JSON amount: ASCII digits, minor units, more than zero. Raises BadAmount."""
    if not _MINOR.fullmatch(text):
        raise BadAmount('an amount is a string of digits in minor units, such as "1250" for 12.50')
    return payable(int(text))


def parse_decimal(text: str, unit: Currency) -> int:
    """Read an amount as a person writes it ("12.50") into minor units. Raises BadAmount.

    A payment code's amount (EMVCo MPM, tag 54) has the same form: no sign, no exponent, no grouping, ASCII digits.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise BadAmount("an amount is written as digits with an optional point, such as 12.50")
    whole, decimals = match.group(1), match.group(2) or ""
    if len(decimals) > unit.decimals:
        raise BadAmount(f"{unit.alpha} has {unit.decimals} decimals; {text} has {len(decimals)}", currency=unit.alpha)
    return payable(int(whole + decimals.ljust(unit.decimals, "0")))


def payable(minor: int) -> int:
    """Return `minor` if it is an amount that can be paid, else raise BadAmount."""
    if minor <= 0:
        raise BadAmount("the amount must be more than zero")
    if minor > MAX_MINOR_UNITS:
        raise BadAmount(f"the amount is over {MAX_MINOR_UNITS} minor units, more than this network carries")
    return minor


def format_decimal(minor: int, unit: Currency) -> str:
    """Write minor units as a person reads them: 1250 THB -> "12.50"."""
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(unit.decimals + 1, "0")
    if unit.decimals == 0:
        return sign + digits
    return f"{sign}{digits[: -unit.decimals]}.{digits[-unit.decimals :]}"


@dataclass(frozen=True)
class Rounded:
    """A whole number of minor units and what rounding added to the exact amount (0 <= residue < 1 minor unit)."""

    minor: int
    residue: Fraction


def round_up(exact: Fraction) -> Rounded:
    """The one rounding rule: up to the next whole minor unit of what the debtor's side pays.

    The residue is the FX provider's: it is recorded with the quote, so that no fraction of a minor unit is unowned.
    """
    minor = -((-exact.numerator) // exact.denominator)
    return Rounded(minor, minor - exact)
