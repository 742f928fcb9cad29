"""Reading a merchant-presented code (EMVCo MPM 1.1): everything is checked, and the first wrong thing is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from contracts.terms.money import Currency
from nodes.qr import rules
from nodes.qr.accounts import SINGAPORE, Claim, read_claims
from nodes.qr.crc import HEAD, checksum
from nodes.qr.payment_code import PaymentCode
from nodes.qr.refusal import refusal
from nodes.qr.schemes import EMV, SCHEMES, Scheme
from nodes.qr.tlv import parse


def read(text: str, today: date | None = None) -> PaymentCode:
    """Read a code as scanned. `today` judges its expiry; without it, the clock's date in Singapore does.

    Raises BadPaymentCode, and nothing else, with a field `code_reason`: bad-amount, bad-category, bad-expiry,
    bad-field, bad-guid, bad-id, bad-initiation, bad-length, bad-tip, conflicting-fields, control-character,
    country-mismatch, crc-mismatch, crc-not-last, currency-mismatch, expired, format-indicator-not-first,
    missing-field, repeated-id, too-long, truncated, unknown-country, unknown-currency, unsupported-format.
    """
    code = read_undated(text)
    if code.expires is not None and code.expires.date() < (today or datetime.now(SINGAPORE).date()):
        raise refusal("expired", f"the code was valid until {code.expires.isoformat()}")
    return code


def read_undated(text: str) -> PaymentCode:
    """As `read`, but a code whose day is past is read too."""
    rules.check_characters(text)
    fields = _checked_objects(text)
    claims = read_claims(fields)
    scheme = _main_scheme(claims)
    if len(text) > scheme.max_length:
        raise refusal("too-long", f"the code has {len(text)} characters; {scheme.name} allows {scheme.max_length}")
    _require(fields, ("53", "58", *scheme.mandatory))
    unit, country = rules.read_currency(fields), rules.read_country(fields)
    _agree(claims, country, unit)
    rules.check_lengths(fields)
    return _assemble(fields, claims, scheme, country, unit)


def _checked_objects(text: str) -> dict[str, str]:
    """The top-level objects without the CRC, which was right and the last."""
    if text[-8:-4] == HEAD and checksum(text[:-4]) != text[-4:].upper():
        raise refusal("crc-mismatch", f"the code ends in {text[-4:]!r}, its characters give {checksum(text[:-4])}")
    fields = parse(text)
    if next(iter(fields), "") != "00":
        raise refusal("format-indicator-not-first", "a payment code begins with object 00")
    if fields["00"] != "01":
        raise refusal("unsupported-format", f"payload format {fields['00']!r} is not 01")
    if "63" not in fields:
        raise refusal("missing-field", "object 63, the CRC, is missing")
    if next(reversed(fields)) != "63" or text[-8:-4] != HEAD:
        raise refusal("crc-not-last", "object 63, four characters of CRC, is not the last")
    del fields["63"]
    return fields


def _main_scheme(claims: tuple[Claim, ...]) -> Scheme:
    present = {claim.scheme.name for claim in claims}
    return next((scheme for scheme in SCHEMES if scheme.name in present), EMV)


def _require(fields: Mapping[str, str], identifiers: tuple[str, ...]) -> None:
    for identifier in identifiers:
        if identifier not in fields:
            raise refusal("missing-field", f"object {identifier} is missing")


def _agree(claims: tuple[Claim, ...], country: str, unit: Currency) -> None:
    for scheme in (claim.scheme for claim in claims):
        if scheme.country not in ("", country):
            raise refusal("country-mismatch", f"{scheme.name} is of {scheme.country}, the code of {country}")
        if scheme.currency not in ("", unit.alpha):
            raise refusal("currency-mismatch", f"{scheme.name} pays {scheme.currency}, the code asks for {unit.alpha}")


def _assemble(
    fields: dict[str, str], claims: tuple[Claim, ...], scheme: Scheme, country: str, unit: Currency
) -> PaymentCode:
    amount = rules.read_amount(fields["54"], unit) if "54" in fields else None
    return PaymentCode(
        scheme=scheme.name,
        country=country,
        currency=unit,
        amount=amount,
        merchant_name=fields.get("59", ""),
        merchant_city=fields.get("60", ""),
        category=rules.read_category(fields),
        accounts=tuple(claim.account for claim in claims),
        reference=rules.read_reference(fields, next((c.references for c in claims if any(c.references)), ())),
        single_use=rules.read_single_use(fields),
        expires=min((claim.expires for claim in claims if claim.expires), default=None),
        amount_editable=amount is None or any(claim.editable for claim in claims),
        tip=rules.read_tip(fields, unit),
        postal_code=fields.get("61", ""),
        local_name=rules.read_local_name(fields),
        fields=tuple(fields.items()),
    )
