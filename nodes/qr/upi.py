"""UPI links: `upi://pay?pa=...` of India, and `upiGlobal://pay?...` of the countries that joined it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts.terms.errors import UnknownCurrency
from contracts.terms.money import Currency, currency
from nodes.qr.countries import COUNTRIES
from nodes.qr.parameters import Parameters, once
from nodes.qr.payment_code import Link, MerchantAccount, PaymentCode, Reference
from nodes.qr.refusal import refusal
from nodes.qr.rules import read_amount
from nodes.qr.schemes import Scheme, form

_address_of_payee = form(r"[0-9A-Za-z._-]{1,255}@[0-9A-Za-z][0-9A-Za-z.-]{1,63}")
_category = form(r"[0-9]{1,4}")
_DYNAMIC_MODES = ("15", "16", "22")
"""Modes (UPI Linking Specification, annex) of codes that were made for one payment."""


def read_upi(scheme: Scheme, address: str, parameters: Parameters) -> PaymentCode:
    """What a UPI link says. Raises BadPaymentCode."""
    said = once(parameters)
    payee = _payee(said)
    country, unit = _place(scheme, said)
    amount = read_amount(said["am"], unit) if _amount_is_named(parameters) else None
    return PaymentCode(
        scheme=scheme.name,
        country=country,
        currency=unit,
        amount=amount,
        merchant_name=said.get("pn", ""),
        merchant_city=said.get("mloc", ""),
        category=_read_category(said),
        accounts=(MerchantAccount(scheme.name, "", payee, payee.rpartition("@")[2].lower()),),
        reference=Reference(ref1=said.get("tr", ""), terminal=said.get("mtid", "")),
        single_use=said.get("mode") in _DYNAMIC_MODES,
        expires=_expiry(said),
        amount_editable=amount is None or _may_be_less(said, amount, unit),
        tip=None,
        postal_code="",
        local_name=None,
        fields=parameters,
        link=Link("UPI payment link", address, note=said.get("tn", "")),
    )


def _payee(said: Mapping[str, str]) -> str:
    if "pa" not in said:
        raise refusal("missing-field", "parameter pa, the payee's address, is missing")
    if not _address_of_payee(said["pa"]):
        raise refusal("bad-field", f"the payee's address {said['pa']!r} has not the form name@bank")
    return said["pa"]


def _place(scheme: Scheme, said: Mapping[str, str]) -> tuple[str, Currency]:
    """Country and currency: India's own, or those that a global link must state."""
    if scheme.country:
        country, unit = said.get("cc", scheme.country[0]), said.get("cu", scheme.currency[0])
        if country not in scheme.country:
            raise refusal("country-mismatch", f"{scheme.name} is of {scheme.country[0]}, the code of {country}")
        if unit not in scheme.currency:
            raise refusal("currency-mismatch", f"{scheme.name} pays {scheme.currency[0]}, the code asks for {unit}")
        return country, currency(unit)
    for name in ("cc", "cu"):
        if name not in said:
            raise refusal("missing-field", f"parameter {name} is missing")
    if said["cc"] not in COUNTRIES:
        raise refusal("unknown-country", f"country {said['cc']!r} is not an ISO 3166 code")
    try:
        return said["cc"], currency(said["cu"])
    except UnknownCurrency as unknown:
        raise refusal("unknown-currency", unknown.detail) from unknown


def _amount_is_named(parameters: Parameters) -> bool:
    for name, value in parameters:
        if name.lower() == "am":
            if not value:
                raise refusal("bad-amount", "parameter am is empty; leave it out when the payer names the amount")
            return True
    return False


def _may_be_less(said: Mapping[str, str], amount: int, unit: Currency) -> bool:
    """Whether a minimum (mam) below the amount lets the payer choose."""
    if "mam" not in said:
        return False
    least = read_amount(said["mam"], unit)
    if least > amount:
        raise refusal("bad-amount", "the least amount (mam) is more than the amount (am)")
    return least < amount


def _read_category(said: Mapping[str, str]) -> str:
    code = said.get("mc", "")
    if code and not _category(code):
        raise refusal("bad-category", f"merchant category {code!r} is not up to four digits")
    return code


def _expiry(said: Mapping[str, str]) -> datetime | None:
    if "qrexpire" not in said:
        return None
    try:
        expires = datetime.fromisoformat(said["qrexpire"])
    except ValueError as failure:
        raise refusal("bad-expiry", f"{said['qrexpire']!r} is not a date") from failure
    if expires.tzinfo is None:
        raise refusal("bad-expiry", f"{said['qrexpire']!r} says no time zone")
    return expires
