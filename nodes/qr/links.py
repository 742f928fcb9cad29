"""Codes that are addresses: those with parameters, and those with a token that only their scheme understands."""

from __future__ import annotations

import re
from collections.abc import Callable

from contracts.terms.errors import BadPaymentCode
from contracts.terms.money import currency
from nodes.qr.parameters import Parameters, decoded, read_parameters
from nodes.qr.payment_code import Link, MerchantAccount, PaymentCode, Reference
from nodes.qr.refusal import refusal
from nodes.qr.rules import check_characters
from nodes.qr.schemes import ADDRESSES, BY_NAME, LINKS, Scheme
from nodes.qr.schemes import Link as Described
from nodes.qr.twqr import read_twqr
from nodes.qr.upi import read_upi

_READERS: dict[str, Callable[[Scheme, str, Parameters], PaymentCode]] = {
    "UPI": read_upi,
    "UPI-GLOBAL": read_upi,
    "TWQR": read_twqr,
}
_TWQR = "twqrp://"
_HOSTS = tuple(link.host for _scheme, link in LINKS if link.host)
_web_address = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/*(?P<authority>[^/?#\\]*)(?P<rest>.*)", re.DOTALL)


def read_link(text: str) -> PaymentCode:
    """Read a code that is an address, expired or not. Raises BadPaymentCode."""
    check_characters(text)
    if text[:14].lower() == "twqrp%3a%2f%2f":
        text = decoded(text)  # several issuers encode the whole of it once more
    address, mark, query = text.partition("?")
    scheme = _with_parameters(address)
    if scheme is not None:
        if not mark:
            raise refusal("missing-field", "the link has no parameters")
        return _READERS[scheme.name](scheme, address, read_parameters(query))
    for scheme, described in LINKS:
        match = described.form(text)
        if match is not None:
            return _token_code(scheme, described, match)
    raise _unknown(text)


def _with_parameters(address: str) -> Scheme | None:
    folded = address.lower()
    if folded.startswith(_TWQR):
        return BY_NAME["TWQR"]
    return ADDRESSES.get(folded)


def _token_code(scheme: Scheme, described: Described, match: re.Match[str]) -> PaymentCode:
    parts = match.groupdict()
    token, institution = parts["token"], parts.get("institution") or ""
    return PaymentCode(
        scheme=scheme.name,
        country=described.country,
        currency=currency(described.currency) if described.currency else None,
        amount=None,
        merchant_name="",
        merchant_city="",
        category="",
        accounts=(MerchantAccount(scheme.name, "", token, institution),),
        reference=Reference(),
        single_use=False,
        expires=None,
        amount_editable=True,
        tip=None,
        postal_code="",
        local_name=None,
        fields=(),
        link=Link(described.kind, described.write.format(**parts), token),
    )


def _unknown(text: str) -> BadPaymentCode:
    """Why an address is none of ours; what tries to look like one is called by its name."""
    match = _web_address.match(text)
    assert match is not None, "the caller saw a colon"
    name, authority = match["scheme"].lower(), match["authority"]
    if name not in ("http", "https"):
        return refusal("unknown-form", f"no payment code that we know begins with {text[:40]!r}")
    user, at, host = authority.rpartition("@")
    if at:
        return refusal("userinfo", f"the address hides its host {host!r} behind {user!r}")
    if authority.lower() not in _HOSTS:
        return refusal("look-alike-host", f"{authority!r} is not the host of a payment scheme")
    if name == "http":
        return refusal("not-https", "a payment code's address is https only")
    return refusal("bad-field", f"the address of {authority.lower()} names no payment")
