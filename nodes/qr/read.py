"""The one door for every code: what kind of code a text is, and then the reader of that kind."""

from __future__ import annotations

from datetime import date

from nodes.qr.barcodes import MAX_DIGITS, read_barcode
from nodes.qr.consumer import SCHEME as OWN
from nodes.qr.consumer import read_consumer_code
from nodes.qr.emv_consumer import read_emv_consumer_code
from nodes.qr.expiry import has_passed
from nodes.qr.links import read_link
from nodes.qr.payment_code import CustomerCode, PaymentCode
from nodes.qr.reader import read_merchant_code
from nodes.qr.refusal import refusal
from nodes.qr.schemes import MAX_INPUT, form

_link = form(r"[A-Za-z][A-Za-z0-9+.-]*(?::|%3[Aa])[\s\S]*")
_base64 = form(r"(?:hQ[\s\S]*)|(?=[^0-9])[A-Za-z0-9+/]{4,}={0,2}")


def read(text: str, today: date | None = None) -> PaymentCode | CustomerCode:
    """Read a code as scanned. `today` judges its expiry; without it, the clock does.

    A code is refused as expired only where its scheme says so (PayNow); of others `expires` tells, and `read_to_pay`
    refuses. Raises BadPaymentCode, and nothing else, with a field `code_reason`: bad-amount, bad-category,
    bad-encoding, bad-expiry, bad-field, bad-guid, bad-id, bad-initiation, bad-length, bad-tip, conflicting-fields,
    control-character, country-mismatch, crc-mismatch, crc-not-last, currency-mismatch, expired,
    format-indicator-not-first, look-alike-host, missing-field, not-https, repeated-id, too-long, truncated,
    unknown-country, unknown-currency, unknown-form, unsupported-format, userinfo.
    """
    code = read_undated(text)
    if isinstance(code, PaymentCode) and code.refuses_expired:
        _refuse_expired(code, today)
    return code


def read_to_pay(text: str, today: date | None = None) -> PaymentCode:
    """Read a merchant's code that somebody wants to pay now. Raises BadPaymentCode as `read` does, and further
    customer-code, and no-currency where only the scheme's own network could tell what to pay."""
    code = read_undated(text)
    if isinstance(code, CustomerCode):
        raise refusal("customer-code", f"this {code.scheme} code is a customer's; a merchant's till scans it")
    if code.currency is None:
        raise refusal("no-currency", f"a code of {code.scheme} does not say in which currency it is paid")
    _refuse_expired(code, today)
    return code


def read_undated(text: str) -> PaymentCode | CustomerCode:
    """As `read`, but a code whose day is past is read too."""
    if not text:
        raise refusal("truncated", "there is no code: the text is empty")
    if len(text) > MAX_INPUT:
        raise refusal("too-long", f"the text has {len(text)} characters; no code has more than {MAX_INPUT}")
    if text[:2] == "00":
        return read_merchant_code(text)
    if text.isdigit() and len(text) <= MAX_DIGITS:
        if not text.isascii():
            raise refusal("bad-field", "the digits of a customer's code are 0 to 9")
        return read_barcode(text)
    if _link(text):
        return read_link(text)
    if text[:4] == OWN:
        return CustomerCode(OWN, read_consumer_code(text).token, (OWN,))
    if _base64(text):
        return read_emv_consumer_code(text)
    return read_merchant_code(text)


def _refuse_expired(code: PaymentCode, today: date | None) -> None:
    if code.expires is not None and has_passed(code.expires, today):
        raise refusal("expired", f"the code was valid until {code.expires.isoformat()}")
