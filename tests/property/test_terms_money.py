"""Money: what a person writes is what is carried, to the minor unit, and nothing else is read."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.terms.currencies import CURRENCIES
from contracts.terms.errors import BadAmount, UnknownCurrency
from contracts.terms.money import (
    MAX_MINOR_UNITS,
    Currency,
    Money,
    currency,
    format_decimal,
    parse_decimal,
    parse_minor,
    payable,
    round_up,
)

PAYABLE = st.integers(1, MAX_MINOR_UNITS) | st.sampled_from([1, 9, 10, 99, 100, 999, 1000, MAX_MINOR_UNITS])
THB, JPY, KWD = currency("THB"), currency("JPY"), currency("KWD")
NO_NUMBERS = [
    "", " ", "+9", "-9", "1_0", "1E3", "1e3", "NaN", "Infinity", "inf", "0x10", "1,000", "1 000", " 1", "1 ", "1\n",
    "٣", "３", "१", "1٣", "²", "½", "①", "01", "00", "1.", ".5", "1..5", "1.5.0", "--1", "1\u200b", "\ufeff1",
]  # fmt: skip


@pytest.mark.parametrize("code", sorted(CURRENCIES))
@settings(max_examples=20)
@given(minor=PAYABLE)
def test_what_is_written_is_read_back_for_every_currency(code: str, minor: int) -> None:
    unit = currency(code)
    assert parse_decimal(format_decimal(minor, unit), unit) == minor
    assert format_decimal(-minor, unit) == "-" + format_decimal(minor, unit)


@given(PAYABLE)
def test_minor_units_as_text_are_read_back(minor: int) -> None:
    assert parse_minor(str(minor)) == minor


@pytest.mark.parametrize(
    ("minor", "unit", "text"),
    [
        (1250, THB, "12.50"),
        (5, THB, "0.05"),
        (0, THB, "0.00"),
        (1250, JPY, "1250"),
        (1250, KWD, "1.250"),
        (-5, KWD, "-0.005"),
    ],
)
def test_people_read_decimals(minor: int, unit: Currency, text: str) -> None:
    assert format_decimal(minor, unit) == text
    assert str(Money(minor, unit)) == f"{unit.alpha} {text}"


@pytest.mark.parametrize(
    ("text", "unit", "minor"),
    [("12.5", THB, 1250), ("12", THB, 1200), ("0.01", THB, 1), ("12", JPY, 12), ("0.001", KWD, 1)],
)
def test_fewer_decimals_are_filled_up(text: str, unit: Currency, minor: int) -> None:
    assert parse_decimal(text, unit) == minor


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_only_plain_ascii_digits_are_an_amount(text: str) -> None:
    with pytest.raises(BadAmount):
        parse_decimal(text, THB)
    with pytest.raises(BadAmount):
        parse_minor(text)


@pytest.mark.parametrize("text", ["12.50", "0.5"])
def test_minor_units_have_no_point(text: str) -> None:
    with pytest.raises(BadAmount):
        parse_minor(text)


@pytest.mark.parametrize(
    ("text", "unit"), [("1.234", THB), ("1.0", JPY), ("1.0000", KWD), ("1.00000", currency("CLF"))]
)
def test_more_decimals_than_the_currency_has_are_refused_not_rounded(text: str, unit: Currency) -> None:
    with pytest.raises(BadAmount):
        parse_decimal(text, unit)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        minor = parse_decimal(text, THB)
    except BadAmount:
        return
    assert text.isascii()
    assert 0 < minor <= MAX_MINOR_UNITS


@pytest.mark.parametrize("text", ["0", "0.0", "0.00"])
def test_nothing_cannot_be_paid(text: str) -> None:
    with pytest.raises(BadAmount, match="more than zero"):
        parse_decimal(text, THB)


@pytest.mark.parametrize("minor", [-1, 0, MAX_MINOR_UNITS + 1, 2**63, 2**256])
def test_what_cannot_be_paid_is_refused(minor: int) -> None:
    with pytest.raises(BadAmount):
        payable(minor)
    with pytest.raises(BadAmount):
        parse_minor(str(minor))


def test_too_large_amounts_are_refused_in_every_writing() -> None:
    assert parse_decimal("10000000000000", THB) == MAX_MINOR_UNITS
    for text in ("10000000000000.01", "1" + "0" * 15, "9" * 5000):
        with pytest.raises(BadAmount):
            parse_decimal(text, THB)


@given(st.integers(0, 10**30), st.integers(1, 10**15))
def test_rounding_goes_up_by_less_than_one_minor_unit(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = round_up(exact)
    assert 0 <= rounded.residue < 1
    assert rounded.minor - rounded.residue == exact


@pytest.mark.parametrize(
    ("exact", "minor"), [(Fraction(2), 2), (Fraction(7, 3), 3), (Fraction(1, 10**12), 1), (Fraction(0), 0)]
)
def test_rounding_leaves_whole_numbers_alone(exact: Fraction, minor: int) -> None:
    assert round_up(exact).minor == minor


def test_currencies_are_found_by_both_codes_and_numeric_codes_are_unique() -> None:
    assert currency(764) == currency("THB") == Currency("THB", 764, 2)
    assert len({numeric for numeric, _ in CURRENCIES.values()}) == len(CURRENCIES)
    assert all(0 < numeric < 1000 and 0 <= decimals <= 4 for numeric, decimals in CURRENCIES.values())


@pytest.mark.parametrize("code", ["thb", "THB ", "XXX", "", "ＴＨＢ", "764", 0, 999, -764])
def test_unknown_currencies_are_refused(code: str | int) -> None:
    with pytest.raises(UnknownCurrency):
        currency(code)
