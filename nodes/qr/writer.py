"""Writing merchant-presented codes (EMVCo MPM 1.1). Whatever is written has been read back before it is returned.

Amounts are minor units of the code's currency. A code with an amount is dynamic (point of initiation 12, for one
payment), one without is static (11). Everything raises BadPaymentCode as `reader.read` does, and "inconsistent".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date

from contracts.terms.money import currency, format_decimal
from nodes.qr.crc import HEAD, checksum
from nodes.qr.emv_consumer import write_objects
from nodes.qr.parameters import write_parameters
from nodes.qr.payment_code import CustomerCode, PaymentCode
from nodes.qr.read import read_undated
from nodes.qr.reader import BYTE_LENGTHS
from nodes.qr.refusal import refusal
from nodes.qr.rules import check_characters
from nodes.qr.schemes import PAYNOW_GUID, PROMPTPAY_BILL, PROMPTPAY_PROXY, matches
from nodes.qr.tlv import format_objects

PROMPTPAY_PROXIES = {"mobile": "01", "national-id": "02", "e-wallet": "03", "bank-account": "04"}
PAYNOW_PROXIES = {"mobile": "0", "uen": "2"}

_PROMPTPAY_REFERENCE = r"[A-Z0-9]{1,20}"

Objects = list[tuple[str, str]]


def write(code: PaymentCode | CustomerCode) -> str:
    """The text of a code that was read; unknown objects and their order are kept, the CRC is in upper case.

    A code whose facts were changed without its `fields` is refused (inconsistent): nobody pays what is not written.
    """
    text = _customer_text(code) if isinstance(code, CustomerCode) else _merchant_text(code)
    if read_undated(text) != code:
        raise refusal("inconsistent", "the code's fields do not say what the code says")
    return text


def write_tlv(objects: Iterable[tuple[str, str]], in_bytes: bool = False) -> str:
    """The objects, then the CRC over all of them. Nothing is checked but their form and characters."""
    body = format_objects(objects, in_bytes) + HEAD
    check_characters(body)
    return body + checksum(body)


def _merchant_text(code: PaymentCode) -> str:
    if code.link is None:
        return write_tlv(code.fields, BYTE_LENGTHS in code.notes)
    return f"{code.link.address}?{write_parameters(code.fields)}" if code.fields else code.link.address


def _customer_text(code: CustomerCode) -> str:
    return base64.b64encode(write_objects(code.applications)).decode() if code.applications else code.token


def promptpay_bill(
    biller_id: str, ref1: str, ref2: str = "", amount: int | None = None, merchant_name: str = "", city: str = ""
) -> str:
    """A PromptPay bill payment (template 30): biller id of 15 digits, references of up to 20 upper-case letters and
    digits, THB."""
    _check_form("biller id", biller_id, r"[0-9]{15}")
    _check_form("ref1", ref1, _PROMPTPAY_REFERENCE)
    if ref2:
        _check_form("ref2", ref2, _PROMPTPAY_REFERENCE)
    account: Objects = [("00", PROMPTPAY_BILL), ("01", biller_id), ("02", ref1), ("03", ref2)]
    return _promptpay("30", account, amount, merchant_name, city)


def promptpay_proxy(
    proxy_type: str, proxy_value: str, amount: int | None = None, merchant_name: str = "", city: str = ""
) -> str:
    """A PromptPay credit transfer (template 29). `proxy_type` is a key of PROMPTPAY_PROXIES; a mobile number has the
    form 0066 and nine digits."""
    account: Objects = [("00", PROMPTPAY_PROXY), (_proxy(PROMPTPAY_PROXIES, proxy_type), proxy_value)]
    return _promptpay("29", account, amount, merchant_name, city)


def paynow(
    proxy_type: str,
    proxy_value: str,
    amount: int | None = None,
    editable: bool = False,
    merchant_name: str = "NA",
    city: str = "Singapore",
    reference: str = "",
    expires: date | None = None,
    category: str = "0000",
) -> str:
    """A PayNow code. `proxy_type` is a key of PAYNOW_PROXIES; `reference` becomes the bill number (62.01)."""
    account: Objects = [
        ("00", PAYNOW_GUID),
        ("01", _proxy(PAYNOW_PROXIES, proxy_type)),
        ("02", proxy_value),
        ("03", "1" if editable or amount is None else "0"),
        ("04", f"{expires:%Y%m%d}" if expires else ""),
    ]
    merchant: Objects = [
        ("59", merchant_name),
        ("60", city),
        ("62", _nested([("01", reference)])),
    ]
    head: Objects = [("26", _nested(account)), ("52", category)]
    return _checked([*_initiation(amount), *head, *_money("SGD", amount), ("58", "SG"), *merchant])


def unionpay(
    merchant_value: str,
    amount: int | None = None,
    merchant_name: str = "NA",
    city: str = "NA",
    category: str = "0000",
) -> str:
    """A UnionPay code in CN and CNY: `merchant_value` is the acquirer's IIN (8 digits), the forwarding IIN
    (8), the merchant (15)."""
    _check_form("merchant value", merchant_value, r"[0-9]{31}")
    merchant: Objects = [("58", "CN"), ("59", merchant_name), ("60", city)]
    head: Objects = [("15", merchant_value), ("52", category)]
    return _checked([*_initiation(amount), *head, *_money("CNY", amount), *merchant])


def _promptpay(template: str, account: Objects, amount: int | None, merchant_name: str, city: str) -> str:
    merchant: Objects = [("58", "TH"), ("59", merchant_name), ("60", city)]
    return _checked([*_initiation(amount), (template, _nested(account)), *_money("THB", amount), *merchant])


def _initiation(amount: int | None) -> Objects:
    return [("00", "01"), ("01", "11" if amount is None else "12")]


def _money(unit: str, amount: int | None) -> Objects:
    of = currency(unit)
    return [("53", f"{of.numeric:03d}"), ("54", "" if amount is None else format_decimal(amount, of))]


def _nested(objects: Objects) -> str:
    return format_objects((identifier, value) for identifier, value in objects if value)


def _checked(objects: Objects) -> str:
    text = write_tlv((identifier, value) for identifier, value in objects if value)
    read_undated(text)
    return text


def _proxy(kinds: dict[str, str], proxy_type: str) -> str:
    if proxy_type not in kinds:
        raise refusal("bad-field", f"proxy type {proxy_type!r} is not one of {', '.join(kinds)}")
    return kinds[proxy_type]


def _check_form(name: str, value: str, pattern: str) -> None:
    if not matches(pattern, value):
        raise refusal("bad-field", f"{name} {value!r} has not the form {pattern}")
