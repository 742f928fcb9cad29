"""Reference rates: the European Central Bank's, of one stated business date.

The ECB publishes euro foreign exchange reference rates on TARGET business days, as units of each currency per euro.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from contracts.terms.currencies import CURRENCIES
from contracts.terms.errors import NoPrice
from contracts.terms.money import Currency

SOURCE = "ECB euro foreign exchange reference rates"
_BASE = "EUR"
_ALWAYS_PUBLISHED = "USD"
_LONGEST_CLOSURE = timedelta(days=10)
"""TARGET is never closed for so long: a date without rates for longer is outside the data."""


class ReferenceRates:
    """The rates of `business_date`, as decimals per euro by alphabetic currency code."""

    def __init__(self, business_date: date, per_euro: Mapping[str, Decimal]) -> None:
        self.business_date = business_date
        self.per_euro = dict(sorted({**per_euro, _BASE: Decimal(1)}.items()))
        self._crossed = dict[tuple[Currency, Currency], Fraction]()

    def mid(self, source: Currency, target: Currency) -> Fraction:
        """Units of `target` per unit of `source` (major units), crossed through the euro, exact.

        Raises NoPrice for a currency without a rate.
        """
        rate = self._crossed.get((source, target))
        if rate is None:
            rate = self._crossed[source, target] = self._rate(target) / self._rate(source)
        return rate

    def _rate(self, unit: Currency) -> Fraction:
        rate = self.per_euro.get(unit.alpha)
        if rate is None:
            raise NoPrice(f"there is no reference rate for {unit.alpha} on {self.business_date}", currency=unit.alpha)
        return Fraction(rate)


def reference_rates(wanted: date) -> ReferenceRates:
    """The rates published on `wanted`, or on the last business date before it. Raises NoPrice outside the data."""
    from currency_converter import CurrencyConverter

    converter = CurrencyConverter(decimal=True)
    business_date = _business_date(converter, wanted)
    # The history also has currencies that are no more, which nobody can be paid in.
    payable = (converter.currencies & CURRENCIES.keys()) - {_BASE}
    rates = {code: _published(converter, code, business_date) for code in payable}
    return ReferenceRates(business_date, {code: rate for code, rate in rates.items() if rate is not None})


def _business_date(converter: object, wanted: date) -> date:
    newest: date = converter.bounds[_ALWAYS_PUBLISHED].last_date  # type: ignore[attr-defined]
    candidate = last = min(wanted, newest)
    while last - candidate <= _LONGEST_CLOSURE:
        if _published(converter, _ALWAYS_PUBLISHED, candidate) is not None:
            return candidate
        candidate -= timedelta(days=1)
    raise NoPrice(f"there are no reference rates for {wanted} or shortly before")


def _published(converter: object, code: str, day: date) -> Decimal | None:
    from currency_converter import RateNotFoundError

    try:
        rate: Decimal = converter.convert(Decimal(1), _BASE, code, date=day)  # type: ignore[attr-defined]
    except RateNotFoundError:
        return None
    return rate
