"""What each top-level object may hold (EMVCo MPM 4.7 and tables 3.1 to 3.8), one function an object."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from contracts.terms.errors import BadAmount, UnknownCurrency
from contracts.terms.money import Currency, currency, parse_decimal
from nodes.qr.countries import COUNTRIES
from nodes.qr.payment_code import LocalName, Reference, Tip
from nodes.qr.refusal import refusal
from nodes.qr.schemes import MAX_INPUT, matches
from nodes.qr.tlv import parse

MAX_AMOUNT_LENGTH = 13
_MAX_LENGTHS = {"59": 25, "60": 15, "61": 10}
_JOINERS = "\u200c\u200d"  # several scripts of Asia are not written without them
_REFUSED_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_REFERENCE_FIELDS = {
    "bill_number": "01",
    "mobile": "02",
    "store": "03",
    "loyalty": "04",
    "reference_label": "05",
    "customer": "06",
    "terminal": "07",
    "purpose": "08",
}
_TIP_KINDS = {"01": "prompt", "02": "fixed", "03": "percent"}


def check_characters(text: str) -> None:
    """Refuse (too-long, control-character) what no code holds: over-long text, controls, marks that turn text round."""
    if len(text) > MAX_INPUT:
        raise refusal("too-long", f"the code has {len(text)} characters; none has more than {MAX_INPUT}")
    if text.isprintable():
        return
    for position, character in enumerate(text):
        if unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _JOINERS:
            raise refusal("control-character", f"character {position + 1} is U+{ord(character):04X}")


def check_lengths(fields: Mapping[str, str]) -> None:
    """Refuse (too-long) a name over 25 characters, a city over 15, a postal code over 10."""
    for identifier, most in _MAX_LENGTHS.items():
        if len(fields.get(identifier, "")) > most:
            raise refusal("too-long", f"object {identifier} has {len(fields[identifier])} characters; {most} fit")


def read_currency(fields: Mapping[str, str]) -> Currency:
    """Object 53: the ISO 4217 numeric code, three digits."""
    code = fields["53"]
    if not matches("[0-9]{3}", code):
        raise refusal("unknown-currency", f"currency {code!r} is not three digits")
    try:
        return currency(int(code))
    except UnknownCurrency as unknown:
        raise refusal("unknown-currency", f"{code} is not an active ISO 4217 currency") from unknown


def read_country(fields: Mapping[str, str]) -> str:
    """Object 58: the ISO 3166-1 two-letter code, upper-case."""
    code = fields["58"]
    if code not in COUNTRIES:
        raise refusal("unknown-country", f"country {code!r} is not an ISO 3166 code")
    return code


def read_amount(text: str, unit: Currency) -> int:
    """Minor units of an amount as objects 54 and 56 write it; the point may be the last character."""
    if len(text) > MAX_AMOUNT_LENGTH:
        raise refusal("bad-amount", f"the amount has {len(text)} characters; {MAX_AMOUNT_LENGTH} fit")
    try:
        return parse_decimal(text.removesuffix("."), unit)
    except BadAmount as bad:
        raise refusal("bad-amount", f"amount {text!r}: {bad.detail}") from bad


def read_category(fields: Mapping[str, str]) -> str:
    """Object 52: the merchant category code (ISO 18245), four digits, or empty."""
    code = fields.get("52", "")
    if code and not matches("[0-9]{4}", code):
        raise refusal("bad-category", f"category {code!r} is not four digits")
    return code


def read_single_use(fields: Mapping[str, str]) -> bool:
    """Object 01, point of initiation: 12 is made for one payment, 11 (or none) for many."""
    code = fields.get("01", "11")
    if code not in ("11", "12"):
        raise refusal("bad-initiation", f"point of initiation {code!r} is neither 11 nor 12")
    return code == "12"


def read_tip(fields: Mapping[str, str], unit: Currency) -> Tip | None:
    """Objects 55, 56, 57: 56 stands with 55=02 and never else, 57 with 55=03 and never else."""
    kind = _TIP_KINDS.get(fields.get("55", ""), "")
    if "55" in fields and not kind:
        raise refusal("bad-tip", f"tip rule {fields['55']!r} is not 01, 02 or 03")
    if ("56" in fields) != (kind == "fixed") or ("57" in fields) != (kind == "percent"):
        raise refusal("bad-tip", "objects 55, 56 and 57 contradict each other")
    if kind == "fixed":
        return Tip(kind, fixed=read_amount(fields["56"], unit))
    if kind == "percent":
        return Tip(kind, hundredths=_hundredths(fields["57"]))
    return Tip(kind) if kind else None


def _hundredths(text: str) -> int:
    whole, _, decimals = text.partition(".")
    if not matches(r"[0-9]{1,2}(?:\.[0-9]{0,2})?", text):
        raise refusal("bad-tip", f"percentage {text!r} is not 00.01 to 99.99")
    value = int(whole + decimals.ljust(2, "0"))
    if not value:
        raise refusal("bad-tip", "a percentage of zero")
    return value


def read_reference(fields: Mapping[str, str], references: tuple[str, ...]) -> Reference:
    """Object 62 (additional data), and the references of the scheme's own template."""
    data = parse(fields.get("62", ""))
    labels = {name: data.get(identifier, "") for name, identifier in _REFERENCE_FIELDS.items()}
    ref1, ref2 = (*references, "", "")[:2]
    return Reference(**labels, ref1=ref1, ref2=ref2)


def read_local_name(fields: Mapping[str, str]) -> LocalName | None:
    """Object 64: language and name together, the city if it likes."""
    if "64" not in fields:
        return None
    data = parse(fields["64"])
    if "00" not in data or "01" not in data:
        raise refusal("missing-field", "object 64 needs a language (00) and a name (01)")
    return LocalName(data["00"], data["01"], data.get("02", ""))
