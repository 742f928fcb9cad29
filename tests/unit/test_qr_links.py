"""Codes that are addresses, customers' numbers and EMVCo's consumer-presented codes: each rule with its own reason."""

from __future__ import annotations

import base64
from datetime import date

import pytest

from contracts.terms.errors import BadPaymentCode
from nodes.qr import CustomerCode, PaymentCode, compose_link, read, read_to_pay
from nodes.qr.consumer import ConsumerCode, new_token, write_consumer_code
from nodes.qr.schemes import MAX_INPUT

TODAY = date(2026, 1, 1)
UPI = "upi://pay?pa=tea@okbank&pn=Tea&"
TWQR = "TWQRP://shop/158/02/V1?D5=004&D6=0000000000000123&D10=901"


def reason(text: str) -> object:
    with pytest.raises(BadPaymentCode) as refused:
        read(text, TODAY)
    assert refused.value.detail
    return refused.value.fields["code_reason"]


def merchant(text: str) -> PaymentCode:
    code = read(text, TODAY)
    assert isinstance(code, PaymentCode)
    return code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://qr.alipay.com.evil.example/abc", "look-alike-host"),
        ("https://qr.alipay.com:8443/abc", "look-alike-host"),
        ("https://qr.alipay.com./abc", "look-alike-host"),
        ("https://qr.\u0430lipay.com/abc", "look-alike-host"),
        ("https://qr-alipay.com/abc", "look-alike-host"),
        ("https://evil.example/https://qr.alipay.com/abc", "look-alike-host"),
        ("https://qr.alipay.com\\@evil.example/abc", "bad-field"),
        ("https://qr.alipay.com@evil.example/abc", "userinfo"),
        ("https://user:password@qr.alipay.com/abc", "userinfo"),
        ("http://qr.alipay.com/abc", "not-https"),
        ("https://qr.alipay.com/", "bad-field"),
        ("https://qr.alipay.com/../abc", "bad-field"),
        ("https://qr.alipay.com/abc#x", "bad-field"),
        ("https://qr.95516.com/0001000/622", "bad-field"),
        ("https://qr.95516.com/00010000/", "bad-field"),
        ("https://qr.alipayplus.com/27abcdefghij", "bad-field"),
        ("weixin://wxpay/bizpayurl?pr=", "unknown-form"),
        ("weixin://evil/bizpayurl?pr=abc", "unknown-form"),
        ("bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "unknown-form"),
    ],
)
def test_an_address_that_only_looks_like_a_schemes_is_refused(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "scheme", "token"),
    [
        ("HTTPS://QR.ALIPAY.COM/BAVH4", "ALIPAY", "BAVH4"),
        ("https://qr.alipay.com/fkx07798zbs?t=1561097455566", "ALIPAY", "fkx07798zbs"),
        ("wxp://f2f0AbC-d_9", "WECHAT", "f2f0AbC-d_9"),
        ("WEIXIN://WXPAY/bizpayurl?pr=AbC", "WECHAT", "AbC"),
    ],
)
def test_a_token_is_kept_as_it_is(text: str, scheme: str, token: str) -> None:
    code = merchant(text)
    assert (code.scheme, code.link and code.link.token) == (scheme, token)
    assert code.accounts[0].lookup_key == f"{scheme}:{token}"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("am=0", "bad-amount"),
        ("am=0.00", "bad-amount"),
        ("am=", "bad-amount"),
        ("am=1e2", "bad-amount"),
        ("am=%2B9", "bad-amount"),
        ("am=1_0", "bad-amount"),
        ("am=１０", "bad-amount"),
        ("am=1.005", "bad-amount"),
        ("am=10&am=20", "conflicting-fields"),
        ("am=10&AM=20", "conflicting-fields"),
        ("am=10&mam=20", "bad-amount"),
        ("pa=thief@okbank", "conflicting-fields"),
        ("cu=USD", "currency-mismatch"),
        ("cc=SG", "country-mismatch"),
        ("mc=12345", "bad-category"),
        ("tn=%E2%80%AE", "control-character"),
        ("tn=%00", "control-character"),
        ("tn=%ff", "bad-encoding"),
        ("tn=100%", "bad-encoding"),
        ("tn", "bad-field"),
    ],
)
def test_each_wrong_parameter_of_a_upi_link_has_its_reason(more: str, expected: str) -> None:
    assert reason(UPI + more) == expected


def test_a_upi_link_says_whom_and_how_much() -> None:
    code = merchant(UPI + "am=149.5&cu=INR&tn=Order%2042&tr=ORD-42&mc=5411&pa=tea@okbank")
    assert (code.scheme, code.amount, code.reference.of_payment, code.category) == ("UPI", 14950, "ORD-42", "5411")
    assert code.accounts[0].lookup_key == "UPI:okbank:tea@okbank"
    assert not code.amount_editable
    assert merchant(UPI + "am=10&mam=5").amount_editable
    assert merchant(UPI + "cu=INR").amount is None


@pytest.mark.parametrize("address", ["UPI://PAY", "gpay://upi/pay", "phonepe://pay"])
def test_other_names_of_the_same_address(address: str) -> None:
    assert merchant(f"{address}?PA=tea@okbank&pn=Tea").accounts[0].account == "tea@okbank"


@pytest.mark.parametrize(
    "text", ["upi://mandate?pa=tea@okbank", "upi://pay", "upi://pay?pn=Tea", "upi://pay?pa=teabank"]
)
def test_what_is_no_upi_payment_is_refused(text: str) -> None:
    assert reason(text) in ("unknown-form", "missing-field", "bad-field")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWQR + "&X=1", "bad-id"),
        (TWQR + "&D9=&D9=", "repeated-id"),
        (TWQR + "&D1=100000000000000000000", "bad-amount"),
        (TWQR + "&D1=0", "bad-amount"),
        (TWQR + "&D1=1.5", "bad-amount"),
        (TWQR + "&D9=%26", "bad-field"),
        (TWQR.replace("901", "702"), "bad-field"),
        (TWQR.replace("/02/", "/09/"), "bad-field"),
        (TWQR.replace("/158/", "/702/"), "bad-field"),
        (TWQR.replace("D5=004&", ""), "missing-field"),
    ],
)
def test_each_wrong_part_of_a_twqr_code_has_its_reason(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_the_amount_of_a_twqr_code_is_told_and_never_guessed() -> None:
    code = merchant(TWQR + "&D1=60000&D9=tea")
    assert (code.amount, code.link and code.link.raw_amount, code.amount_editable) == (None, "60000", True)
    assert code.notes == ("unclear-amount",)
    assert code.accounts[0].lookup_key == "TWQR:004:0000000000000123"
    encoded = "TWQRP%3A%2F%2F%E5%80%8B%E4%BA%BA%2F158%2F02%2FV1%3FD5%3D004%26D6%3D0000000000000123%26D10%3D901"
    assert merchant(encoded).accounts == code.accounts


def test_a_global_upi_link_states_country_currency_and_deadline() -> None:
    text = compose_link(
        "UPI-GLOBAL", {"pa": "tea@bank", "cc": "MU", "cu": "MUR", "QRexpire": "2025-01-01T00:00:00+04:00"}
    )
    code = merchant(text)
    assert (code.country, code.currency and code.currency.alpha) == ("MU", "MUR")
    with pytest.raises(BadPaymentCode) as refused:
        read_to_pay(text, TODAY)
    assert refused.value.fields["code_reason"] == "expired"
    for wrong, expected in (("2025-01-01", "bad-expiry"), ("soon", "bad-expiry")):
        assert reason(f"upiGlobal://pay?pa=tea@bank&cc=MU&cu=MUR&QRexpire={wrong}") == expected
    assert reason("upiGlobal://pay?pa=tea@bank&cu=MUR") == "missing-field"
    assert reason("upiGlobal://pay?pa=tea@bank&cc=XX&cu=MUR") == "unknown-country"
    assert reason("upiGlobal://pay?pa=tea@bank&cc=MU&cu=XXX") == "unknown-currency"


@pytest.mark.parametrize(
    ("text", "schemes"),
    [
        ("28" + "9" * 16, ("ALIPAY", "ALIPAYPLUS")),
        ("25" + "0" * 14, ("ALIPAY",)),
        ("30" + "0" * 22, ("ALIPAY",)),
        ("10" + "0" * 16, ("WECHAT",)),
        ("15" + "0" * 16, ("WECHAT",)),
        ("62" + "0" * 17, ("UNIONPAY",)),
        ("800088" + "0" * 20, ("ZEROPAY",)),
    ],
)
def test_a_customers_number_is_for_one_payment_and_for_the_merchants_side(text: str, schemes: tuple[str, ...]) -> None:
    code = read(text)
    assert isinstance(code, CustomerCode)
    assert (code.token, code.schemes) == (text, schemes)
    with pytest.raises(BadPaymentCode) as refused:
        read_to_pay(text)
    assert refused.value.fields["code_reason"] == "customer-code"


@pytest.mark.parametrize(
    "text", ["24" + "0" * 16, "16" + "0" * 16, "25" + "0" * 13, "30" + "0" * 23, "62" + "0" * 16, "10" + "0" * 17]
)
def test_a_number_of_another_form_is_no_customers_code(text: str) -> None:
    assert reason(text) == "unknown-form"


def test_digits_are_ascii_digits() -> None:
    assert reason("１" * 18) == reason("١" * 18) == "bad-field"


def test_our_own_customer_codes_are_read_too() -> None:
    text = write_consumer_code(ConsumerCode("JINSHAN1", new_token()))
    assert isinstance(read(text), CustomerCode)
    assert reason(text[:-1] + ("0" if text[-1] != "0" else "1")) == "crc-mismatch"


def test_a_code_without_a_currency_is_read_and_not_paid() -> None:
    text = compose_link("ALIPAYPLUS", {"token": "28abcdefgh"})
    assert merchant(text).currency is None
    with pytest.raises(BadPaymentCode) as refused:
        read_to_pay(text)
    assert refused.value.fields["code_reason"] == "no-currency"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("8505435056303161074F05A000000003", None),
        ("8505435056303162024F00", "missing-field"),
        ("61024F00", "format-indicator-not-first"),
        ("8505435056303261024F00", "unsupported-format"),
        ("8505435056303161094F05A00000", "truncated"),
        ("85054350563031618002", "bad-length"),
        ("8505435056303161810500", "bad-length"),
        ("850543505630319FFF", "bad-id"),
        ("850543505630316100", "truncated"),
        ("85054350563031" + "610C610A6108610661046102" + "4F00", "bad-field"),
        ("8505435056303185054350563031" + "61024F00", "repeated-id"),
    ],
)
def test_consumer_presented_codes_of_emvco(data: str, expected: str | None) -> None:
    text = base64.b64encode(bytes.fromhex(data)).decode()
    if expected is not None:
        assert reason(text) == expected
        return
    code = read(text)
    assert isinstance(code, CustomerCode)
    assert code.applications == (("85", "4350563031"), ("61", (("4F", "A000000003"),)))


@pytest.mark.parametrize("text", ["hQVDUFYwMWET!!", "hQVDUFYwMWEHTwWgAAAAAw", "hQVDUFYwMWEHTwWgAAAAAx=="])
def test_base64_is_read_in_its_one_form(text: str) -> None:
    assert reason(text) == "bad-encoding"


@pytest.mark.parametrize(
    "head", ["upi://pay?pa=a@bank&pn=", "https://qr.alipay.com/", "hQ", "00020", "A", "1", "TWQRP://"]
)
def test_input_is_bounded_in_every_form(head: str) -> None:
    assert reason(head + "A" * (MAX_INPUT + 1)) == "too-long"
