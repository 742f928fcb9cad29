"""The codes that an institution's merchants show, in the scheme of their country."""

from __future__ import annotations

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


def write_code(lookup_key: str, name: str, city: str, category: str, amount: int | None, reference: str) -> str:
    """The text of a merchant's code: static without an amount (minor units), for one payment with it."""
    kind, _, identifier = lookup_key.partition(":")
    if kind == PROMPTPAY_BILL:
        return qr.promptpay_bill(identifier, reference or NO_REFERENCE, "", amount, name, city)
    if kind == PAYNOW_GUID:
        return qr.paynow("uen", identifier, amount, False, name, city, reference, None, category)
    return qr.unionpay(identifier, amount, name, city, category)
