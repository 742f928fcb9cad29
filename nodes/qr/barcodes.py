"""Customer barcodes: a number that the customer shows once and the merchant's till scans."""

from __future__ import annotations

from contracts.terms.money import currency
from nodes.qr.payment_code import CustomerCode
from nodes.qr.refusal import refusal
from nodes.qr.schemes import BARCODES

MAX_DIGITS = 40
"""No customer's number is longer; a longer run of digits is no barcode."""


def read_barcode(text: str) -> CustomerCode:
    """Read a customer's number of ASCII digits. Raises BadPaymentCode (unknown-form)."""
    found = [(scheme, barcode) for scheme, barcode in BARCODES if barcode.form(text)]
    if not found:
        known = "; ".join(f"{scheme.name} {each.prefixes} with {each.lengths} digits" for scheme, each in BARCODES)
        raise refusal("unknown-form", f"{len(text)} digits from {text[:6]} are no customer's code ({known})")
    scheme, barcode = found[0]
    unit = currency(barcode.currency) if barcode.currency else None
    return CustomerCode(scheme.name, text, tuple(each.name for each, _ in found), barcode.country, unit)
