"""Codes of every scheme, for any content: what is written is what is read."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.terms.currencies import CURRENCIES
from contracts.terms.errors import BadPaymentCode
from nodes.qr import LocalName, PaymentCode, Reference, Tip, read, read_to_pay, write
from nodes.qr.barcodes import read_barcode
from nodes.qr.compose import Payee, Saying, compose, compose_link
from nodes.qr.crc import checksum
from nodes.qr.emv_consumer import read_objects, write_objects
from nodes.qr.explain import explain
from nodes.qr.schemes import BARCODES, BY_NAME
from tests.qr_payees import LINKS, OBJECTS, WITHOUT_A_COUNTRY, letters, payees
from tests.qr_vectors import ABSENT, LABELLED_ON, valid_rows

TODAY = date(2026, 1, 1)
PAYLOADS = [row["payload"] for row in valid_rows()]

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=25)
cities = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=15)
references = st.builds(
    Reference,
    bill_number=letters(25, 0),
    store=letters(10, 0),
    reference_label=letters(25, 0) | st.just("***"),
    terminal=letters(8, 0),
    purpose=letters(25, 0),
)
tips = st.none() | st.one_of(
    st.just(Tip("prompt")),
    st.builds(Tip, st.just("fixed"), fixed=st.integers(1, 9999)),
    st.builds(Tip, st.just("percent"), hundredths=st.integers(1, 9999)),
)
local_names = st.none() | st.builds(LocalName, st.just("ZH"), names, cities | st.just(""))


def sayings(scheme: str) -> st.SearchStrategy[Saying]:
    known = BY_NAME[scheme].currency
    abroad = scheme in WITHOUT_A_COUNTRY
    return st.builds(
        Saying,
        amount=st.none() | st.integers(1, 10**9),
        merchant_name=names,
        merchant_city=cities,
        category=st.sampled_from(["5812", "0000"]),
        postal_code=letters(10),
        country=st.just("CN" if abroad else ""),
        currency=st.sampled_from(known) if known else st.sampled_from(sorted(CURRENCIES)),
        reference=references,
        tip=tips,
        local_name=local_names,
        reusable=st.booleans(),
    )


def merchant_code(text: str) -> PaymentCode:
    code = read(text, TODAY)
    assert isinstance(code, PaymentCode)
    return code


def test_every_scheme_is_written_here() -> None:
    barcodes = {scheme.name for scheme, _ in BARCODES}
    assert OBJECTS.keys() | LINKS.keys() | barcodes == BY_NAME.keys()


@pytest.mark.parametrize("scheme", OBJECTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_what_is_read(scheme: str, data: st.DataObject) -> None:
    payee, saying = data.draw(payees(scheme)), data.draw(sayings(scheme))
    try:
        text = compose([payee], saying)
    except BadPaymentCode as refused:
        if refused.fields["code_reason"] != "too-long":  # more than a code may hold
            raise
        return
    code = merchant_code(text)
    assert (code.scheme, code.amount, code.currency and code.currency.alpha) == (scheme, saying.amount, saying.currency)
    assert (code.merchant_name, code.merchant_city) == (saying.merchant_name, saying.merchant_city)
    assert (code.category, code.postal_code, code.tip) == (saying.category, saying.postal_code, saying.tip)
    assert (code.reference.bill_number, code.reference.purpose) == (
        saying.reference.bill_number,
        saying.reference.purpose,
    )
    assert code.local_name == saying.local_name
    assert code.single_use == (saying.amount is not None and not saying.reusable)
    assert any(value.lower() in code.accounts[0].lookup_key.lower() for value in payee.objects.values())
    assert write(code) == text


@pytest.mark.parametrize("scheme", LINKS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_link_is_read_as_it_was_written(scheme: str, data: st.DataObject) -> None:
    values = data.draw(LINKS[scheme])
    text = compose_link(scheme, values)
    code = merchant_code(text)
    assert code.scheme == scheme
    assert write(code) == text
    facts = explain(text, TODAY)
    assert values.get("pa", None) in (None, facts.get("payee_vpa"))
    assert values.get("tn") in (None, "", facts.get("note"))
    assert values.get("token") in (None, facts.get("token"))
    assert values.get("D1") in (None, facts.get("raw_amount"))


@given(payees("PAYNOW"), payees("NETS"), payees("UNIONPAY"), sayings("PAYNOW"))
def test_one_code_carries_several_schemes(paynow: Payee, nets: Payee, unionpay: Payee, saying: Saying) -> None:
    with suppress(BadPaymentCode):
        code = merchant_code(compose([paynow, nets, unionpay], saying))
        assert set(code.schemes) == {"PAYNOW", "NETS", "UNIONPAY"}
        assert code.scheme == "PAYNOW"


@pytest.mark.skipif(not PAYLOADS, reason=ABSENT)
@given(st.sampled_from(PAYLOADS or [""]), st.integers(0, 10**6), st.characters(exclude_categories=("C", "Z")))
def test_one_changed_character_of_a_label_is_refused_or_reported(payload: str, place: int, character: str) -> None:
    """An EMVCo code lives on only where the CRC is right again; where none is, what is read is what stands there."""
    place %= len(payload)
    changed = payload[:place] + character + payload[place + 1 :]
    with suppress(BadPaymentCode):
        code = read(changed, LABELLED_ON)
        if changed[:2] == "00" and isinstance(code, PaymentCode):
            assert checksum(changed[:-4]) == changed[-4:].upper()
        assert read(write(code), LABELLED_ON) == code


@given(st.text("0123456789", min_size=1, max_size=40))
def test_a_number_is_a_customers_code_of_known_schemes_or_none(text: str) -> None:
    with suppress(BadPaymentCode):
        code = read_barcode(text)
        assert all(
            any(scheme.name == name and barcode.form(text) for scheme, barcode in BARCODES) for name in code.schemes
        )
        with pytest.raises(BadPaymentCode) as refused:
            read_to_pay(text)
        assert refused.value.fields["code_reason"] in ("customer-code", "bad-length", "format-indicator-not-first")


@given(st.binary(max_size=64))
def test_consumer_objects_are_refused_or_written_back_byte_for_byte(data: bytes) -> None:
    with suppress(BadPaymentCode):
        assert write_objects(read_objects(data)) == data


@given(
    st.text()
    | st.text("hQVDUFYwMWE=/+:?&%@.aupi0")
    | st.text(min_size=1, max_size=9).map("upi://pay?pa=a@bc&pn={}".format)
)
def test_any_text_is_explained(text: str) -> None:
    facts = explain(text, TODAY)
    assert facts["valid"] or (facts["reason"] and facts["detail"])
