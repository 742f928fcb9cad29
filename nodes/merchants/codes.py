"""The codes that an institution's merchants show, in their country's scheme and every other that it answers for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.terms.errors import Malformed
from nodes import qr
from nodes.qr.payment_code import NO_REFERENCE
from nodes.qr.schemes import PAYNOW_GUID, PROMPTPAY_BILL

_BILLER_DIGITS, _MERCHANT_DIGITS = 15, 15


@dataclass(frozen=True)
class MerchantScheme:
    """One scheme at one institution; `prefix` is what the institution's merchant identifiers begin with.

    PROMPTPAY: a biller id of 15 digits. PAYNOW: no prefix, each merchant is known by its own UEN.
    UNIONPAY: the acquirer's IIN of 8 digits.
    """

    name: str
    prefix: str

    def lookup_key(self, number: int, proxy: str) -> str:
        """What the code of merchant `number` says it is. Raises Malformed when the scheme needs another proxy."""
        if self.name == "PAYNOW":
            if not proxy:
                raise Malformed("proxy: a PayNow merchant is registered with its UEN")
            return f"{PAYNOW_GUID}:{proxy}"
        if proxy:
            raise Malformed(f"proxy: {self.name} merchants get their identifier from the acquirer; leave it out")
        if self.name == "PROMPTPAY":
            return f"{PROMPTPAY_BILL}:{self.prefix}{number:0{_BILLER_DIGITS - len(self.prefix)}d}"
        return f"UNIONPAY:{self.prefix}{self.prefix}{number:0{_MERCHANT_DIGITS}d}"

    def registry_code(self) -> str:
        """The entry of the registry on chain that brings payers' banks here."""
        guid = {"PAYNOW": PAYNOW_GUID, "PROMPTPAY": PROMPTPAY_BILL}.get(self.name, "UNIONPAY")
        return f"{guid}:{self.prefix}"


def schemes(name: str, prefix: str, further: Mapping[str, str]) -> tuple[MerchantScheme, ...]:
    """All schemes of an institution, its country's first; `further` has their prefixes by name."""
    return (MerchantScheme(name, prefix), *(MerchantScheme(each, further[each]) for each in sorted(further)))


def write_code(lookup_keys: Sequence[str], saying: qr.Saying) -> str:
    """The text of a merchant's code: static without an amount, for one payment with it. One key is written as its
    scheme likes it best, several stand side by side in one code that pays all."""
    if len(lookup_keys) > 1:
        return qr.compose([_payee(key, saying) for key in lookup_keys], saying)
    kind, _, identifier = lookup_keys[0].partition(":")
    name, city, category, amount = saying.merchant_name, saying.merchant_city, saying.category, saying.amount
    reference = saying.reference.bill_number
    if kind == PROMPTPAY_BILL:
        return qr.promptpay_bill(identifier, reference or NO_REFERENCE, "", amount, name, city)
    if kind == PAYNOW_GUID:
        return qr.paynow("uen", identifier, amount, False, name, city, reference, None, category)
    return qr.unionpay(identifier, amount, name, city, category)


def _payee(lookup_key: str, saying: qr.Saying) -> qr.Payee:
    kind, _, identifier = lookup_key.partition(":")
    if kind == PROMPTPAY_BILL:
        reference = saying.reference.bill_number or NO_REFERENCE
        return qr.Payee("PROMPTPAY", {"00": PROMPTPAY_BILL, "01": identifier, "02": reference})
    if kind == PAYNOW_GUID:
        return qr.Payee("PAYNOW", {"01": "2", "02": identifier, "03": "1" if saying.amount is None else "0"})
    return qr.Payee("UNIONPAY", {"15": identifier})
