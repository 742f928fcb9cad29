"""Payment codes, for any content: what is written is what is read, and noise is refused as a bad payment code."""

from __future__ import annotations

import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms.errors import BadPaymentCode
from nodes.qr import paynow, promptpay_bill, promptpay_proxy, read, unionpay, write, write_tlv
from nodes.qr.crc import checksum
from nodes.qr.tlv import format_objects, parse

TODAY = date(2026, 1, 1)
DIGITS, LETTERS = string.digits, string.ascii_uppercase + string.digits

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=25)
cities = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=15)
amounts = st.none() | st.integers(1, 10**12 - 1)
categories = st.text(DIGITS, min_size=4, max_size=4)
references = st.text(LETTERS, min_size=1, max_size=20)
uens = st.text(LETTERS, min_size=8, max_size=13)
days = st.none() | st.dates(TODAY, date(2099, 12, 31))


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


codes = st.one_of(
    st.builds(promptpay_bill, digits(15), references, references | st.just(""), amounts, names, cities),
    st.builds(promptpay_proxy, st.sampled_from(["mobile", "national-id"]), digits(13), amounts, names, cities),
    st.builds(paynow, st.just("uen"), uens, amounts, st.booleans(), names, cities, references, days),
    st.builds(unionpay, digits(31), amounts, names, cities, categories),
)


@given(codes)
def test_a_written_code_is_read_and_written_as_itself(text: str) -> None:
    assert write(read(text, TODAY)) == text


@given(digits(15), references, references | st.just(""), amounts, names, cities)
def test_a_promptpay_bill_says_what_was_put_in(
    biller: str, ref1: str, ref2: str, amount: int | None, name: str, city: str
) -> None:
    code = read(promptpay_bill(biller, ref1, ref2, amount, name, city))
    assert (code.accounts[0].account, code.reference.ref1, code.reference.ref2) == (biller, ref1, ref2)
    assert (code.amount, code.merchant_name, code.merchant_city) == (amount, name, city)
    assert code.single_use == (amount is not None)


@given(uens, amounts, st.booleans(), names, cities, references, days)
def test_a_paynow_code_says_what_was_put_in(
    uen: str, amount: int | None, editable: bool, name: str, city: str, bill: str, day: date | None
) -> None:
    code = read(paynow("uen", uen, amount, editable, name, city, bill, day), TODAY)
    assert (code.accounts[0].account, code.amount, code.reference.bill_number) == (uen, amount, bill)
    assert (code.merchant_name, code.merchant_city) == (name, city)
    assert (code.expires and code.expires.date()) == day
    assert code.amount_editable == (editable or amount is None)


@given(digits(31), amounts, names, cities, categories)
def test_a_unionpay_code_says_what_was_put_in(
    value: str, amount: int | None, name: str, city: str, category: str
) -> None:
    code = read(unionpay(value, amount, name, city, category))
    assert (code.accounts[0].lookup_key, code.amount) == (f"UNIONPAY:{value}", amount)
    assert (code.merchant_name, code.merchant_city, code.category) == (name, city, category)


@given(codes, st.integers(0, 10**6), st.characters(exclude_categories=("C", "Z")))
def test_one_changed_character_is_refused_or_the_crc_is_right_again(text: str, place: int, character: str) -> None:
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    with suppress(BadPaymentCode):
        code = read(changed, TODAY)
        assert checksum(changed[:-4]) == changed[-4:].upper()
        assert changed.upper() == text.upper() or not character.isascii() or not text.isascii()
        assert write(code).upper() == changed.upper()


@given(codes, st.integers(1, 600))
def test_a_cut_code_is_refused(text: str, kept: int) -> None:
    cut = text[: min(kept, len(text) - 1)]
    with pytest.raises(BadPaymentCode) as refused:
        read(cut, TODAY)
    assert refused.value.fields["code_reason"]


@given(st.text() | st.text(string.digits) | st.text("0123456789AGNOPSWY.", max_size=600))
def test_noise_is_a_bad_payment_code(text: str) -> None:
    for attempt in (text, "000201" + text, _with_crc("000201" + text)):
        with suppress(BadPaymentCode):
            read(attempt)


ids = st.integers(0, 99).map("{:02d}".format)
values = st.text("0123456789.-ABS", max_size=30) | st.text(max_size=30) | st.sampled_from(["764", "TH", "12", "1.00"])


@given(st.dictionaries(ids, values))
def test_any_objects_with_a_right_crc_are_read_or_refused(objects: dict[str, str]) -> None:
    base = {"00": "01", "53": "764", "58": "TH", "26": "0003abc"}
    with suppress(BadPaymentCode):
        text = write_tlv((base | objects).items())
        assert read(write(read(text))) == read(text)


@given(st.dictionaries(ids, st.text("0123456789AZ茶", min_size=1, max_size=99)))
def test_objects_are_parsed_as_they_were_formatted(objects: dict[str, str]) -> None:
    assert parse(format_objects(objects.items())) == objects


def _with_crc(text: str) -> str:
    with suppress(UnicodeEncodeError):
        return text + "6304" + checksum(text + "6304")
    return text
