"""What `feiqian qr decode` prints for one payload: flat, JSON only, absent facts are null."""

from __future__ import annotations

from datetime import date

from contracts.terms.errors import BadPaymentCode
from contracts.terms.money import Currency, format_decimal
from nodes.qr.emv_consumer import write_objects
from nodes.qr.expiry import has_passed
from nodes.qr.payment_code import CustomerCode, PaymentCode
from nodes.qr.read import read
from nodes.qr.rules import TIP_RULES

Facts = dict[str, object]


def explain(text: str, today: date | None = None) -> Facts:
    """The facts of a code, or why it is none: `valid` tells which."""
    try:
        code = read(text, today)
    except BadPaymentCode as bad:
        return {"valid": False, "reason": bad.fields["code_reason"], "detail": bad.detail}
    facts = _of_merchant(code, today) if isinstance(code, PaymentCode) else _of_customer(code)
    return {"valid": True, **{name: None if value == "" else value for name, value in facts.items()}}


def _of_merchant(code: PaymentCode, today: date | None) -> Facts:
    link = code.link
    return {
        "scheme": code.scheme,
        "schemes": code.schemes,
        "mode": "URI" if link else "MPM",
        "merchant_name": code.merchant_name,
        "merchant_city": code.merchant_city,
        "country": code.country,
        **_currency(code.currency),
        "amount": _decimal(code.amount, code.currency),
        "amount_editable": code.amount_editable,
        "mcc": code.category,
        "accounts": [account.lookup_key for account in code.accounts],
        "institution": next((account.institution for account in code.accounts if account.institution), None),
        "single_use": code.single_use,
        "expiry": code.expires and code.expires.isoformat(),
        "expired": code.expires is not None and has_passed(code.expires, today),
        **_references(code),
        **_tip(code),
        **(_link(code) if link else _objects(code)),
        "notes": code.notes,
    }


def _currency(unit: Currency | None) -> Facts:
    alpha, numeric = (unit.alpha, f"{unit.numeric:03d}") if unit else (None, None)
    return {"currency": alpha, "currency_alpha": alpha, "currency_numeric": numeric}


def _decimal(amount: int | None, unit: Currency | None) -> str | None:
    return None if amount is None or unit is None else format_decimal(amount, unit)


def _references(code: PaymentCode) -> Facts:
    said = code.reference
    return {
        "reference": said.of_payment,
        "ref1": said.ref1,
        "ref2": said.ref2,
        "bill_number": said.bill_number,
        "mobile": said.mobile,
        "store_label": said.store,
        "loyalty_number": said.loyalty,
        "reference_label": said.reference_label,
        "customer_label": said.customer,
        "terminal_label": said.terminal,
        "purpose": said.purpose,
    }


def _tip(code: PaymentCode) -> Facts:
    tip = code.tip
    if tip is None:
        return {"tip": None, "fee_fixed": None, "fee_percent": None}
    percent = f"{tip.hundredths // 100}.{tip.hundredths % 100:02d}" if tip.hundredths else None
    return {
        "tip": TIP_RULES[tip.kind],
        "fee_fixed": _decimal(tip.fixed or None, code.currency),
        "fee_percent": percent,
    }


def _objects(code: PaymentCode) -> Facts:
    """What only an EMVCo code says."""
    local = code.local_name
    return {
        "poi": dict(code.fields).get("01"),
        "postal_code": code.postal_code,
        "lang": local and local.language,
        "merchant_name_alt": local and local.name,
        "merchant_city_alt": local and local.city,
        "ids": [*(identifier for identifier, _ in code.fields), "63"],
    }


def _link(code: PaymentCode) -> Facts:
    """What only an address says."""
    link, account = code.link, code.accounts[0]
    assert link is not None
    is_upi, is_twqr = code.scheme.startswith("UPI"), code.scheme == "TWQR"
    return {
        "kind": link.kind,
        "token": link.token,
        "payee_vpa": account.account if is_upi else None,
        "bank": account.institution if is_twqr else None,
        "account": account.account if is_twqr else None,
        "raw_amount": link.raw_amount,
        "note": link.note,
    }


def _of_customer(code: CustomerCode) -> Facts:
    facts: Facts = {
        "scheme": code.scheme,
        "schemes": code.schemes,
        "mode": "CPM" if code.applications or code.scheme == "FQC1" else "BARCODE",
        "kind": "customer payment code",
        "merchant_name": None,
        "merchant_city": None,
        "country": code.country,
        **_currency(code.currency),
        "amount": None,
        "single_use": True,
        "token": code.token,
    }
    if code.applications:
        facts |= {"hex": write_objects(code.applications).hex().upper(), "tlv": code.applications}
    return facts
