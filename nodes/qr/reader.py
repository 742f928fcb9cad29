"""Reading a merchant-presented code (EMVCo MPM 1.1): everything is checked, and the first wrong thing is named."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from contracts.terms.errors import BadPaymentCode
from contracts.terms.money import Currency
from nodes.qr import rules
from nodes.qr.accounts import Claim, read_claims
from nodes.qr.crc import HEAD, checksum
from nodes.qr.expiry import read_expiry
from nodes.qr.payment_code import PaymentCode
from nodes.qr.refusal import refusal
from nodes.qr.schemes import NAMED_BY_PRIMITIVES, RANK, Scheme
from nodes.qr.tlv import parse, parse_bytes

BYTE_LENGTHS = "byte-lengths"
"""The note of a code whose lengths count bytes, against EMVCo 4.1; it is read so only when it cannot be otherwise."""

_MISREAD = frozenset(("truncated", "bad-id", "bad-length", "repeated-id", "crc-not-last"))
"""Reasons that lengths which were counted in bytes may have."""


def read_merchant_code(text: str) -> PaymentCode:
    """Read the text of an EMVCo code, expired or not. Raises BadPaymentCode."""
    rules.check_characters(text)
    _check_crc(text)
    try:
        return _read(text, parse, ())
    except BadPaymentCode as bad:
        if text.isascii() or bad.fields["code_reason"] not in _MISREAD:
            raise
        with suppress(BadPaymentCode):
            return _read(text, parse_bytes, (BYTE_LENGTHS,))
        raise


def _check_crc(text: str) -> None:
    if text[-8:-4] == HEAD and checksum(text[:-4]) != text[-4:].upper():
        raise refusal("crc-mismatch", f"the code ends in {text[-4:]!r}, its characters give {checksum(text[:-4])}")


def _read(text: str, parse: rules.Parse, notes: tuple[str, ...]) -> PaymentCode:
    fields = _checked_objects(text, parse)
    claims = read_claims(fields, fields.get("58", ""), parse)
    scheme = _main_scheme(claims, fields)
    if fields["00"] not in scheme.formats:
        raise refusal("unsupported-format", f"payload format {fields['00']!r} is not {' or '.join(scheme.formats)}")
    if len(text) > scheme.max_length:
        raise refusal("too-long", f"the code has {len(text)} characters; {scheme.name} allows {scheme.max_length}")
    _require(fields, scheme)
    unit, country = rules.read_currency(fields), rules.read_country(fields)
    for claim in claims:
        _agree(claim.scheme, country, unit)
    _agree(scheme, country, unit)
    notes += rules.check_lengths(fields, scheme.long_names) + rules.missing(fields)
    return _assembled(fields, claims, scheme, unit, parse, notes)


def _checked_objects(text: str, parse: rules.Parse) -> dict[str, str]:
    """The top-level objects without the CRC, which was right and the last."""
    fields = parse(text)
    if next(iter(fields), "") != "00":
        raise refusal("format-indicator-not-first", "a payment code begins with object 00")
    if "63" not in fields:
        raise refusal("missing-field", "object 63, the CRC, is missing")
    if next(reversed(fields)) != "63" or text[-8:] != HEAD + fields["63"]:
        raise refusal("crc-not-last", "object 63, four characters of CRC, is not the last")
    del fields["63"]
    return fields


def _main_scheme(claims: list[Claim], fields: Mapping[str, str]) -> Scheme:
    """The first in the order of `schemes.toml`; where that is none of a country, the country may know better."""
    scheme = claims[0].scheme if len(claims) == 1 else min([claim.scheme for claim in claims], key=_rank)
    if not scheme.country:
        country = fields.get("58", "")
        for identifier in fields:
            if (country, identifier) in NAMED_BY_PRIMITIVES:
                return NAMED_BY_PRIMITIVES[country, identifier]
    return scheme


def _rank(scheme: Scheme) -> int:
    return RANK[scheme.name]


def _require(fields: Mapping[str, str], scheme: Scheme) -> None:
    for identifier in scheme.required:
        if identifier not in fields:
            raise refusal("missing-field", f"object {identifier} is missing")


def _agree(scheme: Scheme, country: str, unit: Currency) -> None:
    if scheme.country and country not in scheme.country:
        raise refusal("country-mismatch", f"{scheme.name} is of {scheme.country[0]}, the code of {country}")
    if scheme.currency and unit.alpha not in scheme.currency:
        pays = " or ".join(scheme.currency)
        raise refusal("currency-mismatch", f"{scheme.name} pays {pays}, the code asks for {unit.alpha}")


def _assembled(
    fields: dict[str, str],
    claims: list[Claim],
    scheme: Scheme,
    unit: Currency,
    parse: rules.Parse,
    notes: tuple[str, ...],
) -> PaymentCode:
    amount = rules.read_amount(fields["54"], unit) if "54" in fields else None
    deadlines = [claim.expires for claim in claims if claim.expires]
    if scheme.expiry:
        deadlines += _outer_expiry(fields, scheme)
    return PaymentCode(
        scheme=scheme.name,
        country=fields["58"],
        currency=unit,
        amount=amount,
        merchant_name=fields.get("59", ""),
        merchant_city=fields.get("60", ""),
        category=rules.read_category(fields),
        accounts=tuple([claim.account for claim in claims]),
        reference=rules.read_reference(fields, _references(claims), parse),
        single_use=rules.read_single_use(fields),
        expires=min(deadlines) if deadlines else None,
        amount_editable=amount is None or True in [claim.editable for claim in claims],
        tip=rules.read_tip(fields, unit),
        postal_code=fields.get("61", ""),
        local_name=rules.read_local_name(fields, parse),
        fields=tuple(fields.items()),
        refuses_expired=bool(deadlines) and any(claim.scheme.refuses_expired for claim in claims if claim.expires),
        notes=notes,
    )


def _references(claims: list[Claim]) -> tuple[str, ...]:
    for claim in claims:
        if claim.references and any(claim.references):
            return claim.references
    return ()


def _outer_expiry(fields: Mapping[str, str], scheme: Scheme) -> list[datetime]:
    """A deadline in milliseconds under the scheme's own path; other codes keep other things there."""
    outer, _, inner = scheme.expiry.partition(".")
    with suppress(BadPaymentCode):
        text = parse(fields.get(outer, "")).get(inner, "")
        if len(text) == 13:
            return [read_expiry(text, scheme.utc_offset)]
    return []
