"""What each top-level object may hold (EMVCo MPM 4.7 and tables 3.1 to 3.8), one function an object."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from contracts.terms.currencies import CURRENCIES
from contracts.terms.errors import BadAmount
from contracts.terms.money import Currency, currency, payable
from nodes.qr.countries import COUNTRIES
from nodes.qr.payment_code import LocalName, Reference, Tip
from nodes.qr.refusal import refusal
from nodes.qr.schemes import MAX_INPUT, form

Parse = Callable[[str], dict[str, str]]
"""How the objects of a template are told apart: lengths in characters, or in bytes."""

MAX_AMOUNT_LENGTH = 13
_MAX_LENGTHS = (("59", 25), ("60", 15), ("61", 10))
_JOINERS = "\u200c\u200d"  # several scripts of Asia are not written without them
_REFUSED_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_CURRENCIES = {f"{numeric:03d}": currency(numeric) for numeric, _decimals in CURRENCIES.values()}
TIP_RULES = {"prompt": "01", "fixed": "02", "percent": "03"}
"""What object 55 says for each kind of tip."""

_TIP_KINDS = {rule: kind for kind, rule in TIP_RULES.items()}

_amount = form(r"([0-9]+)(?:\.([0-9]*))?")
_percentage = form(r"([0-9]{1,2})(?:\.([0-9]{0,2}))?")
_category = form(r"[0-9]{4}")
_three_digits = form(r"[0-9]{3}")


def check_characters(text: str) -> None:
    """Refuse (too-long, bad-encoding, control-character) what no code holds: over-long text, bytes that were no UTF-8,
    controls, marks that turn text round."""
    if len(text) > MAX_INPUT:
        raise refusal("too-long", f"the code has {len(text)} characters; none has more than {MAX_INPUT}")
    if not text.isprintable():
        check_marks(text)


def check_marks(text: str) -> None:
    """Refuse every character that is not seen, but for the joiners between letters of scripts that need them."""
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        joins = character in _JOINERS and position > 0 and not text[position - 1].isascii()
        if joins or category not in _REFUSED_CATEGORIES:
            continue
        if category == "Cs":
            raise refusal("bad-encoding", f"character {position + 1} is no UTF-8")
        raise refusal("control-character", f"character {position + 1} is U+{ord(character):04X}")


def check_lengths(fields: Mapping[str, str], long_names: bool) -> tuple[str, ...]:
    """Refuse (too-long) a name over 25 characters, a city over 15, a postal code over 10, or note that there is one."""
    over = [identifier for identifier, most in _MAX_LENGTHS if len(fields.get(identifier, "")) > most]
    if over and not long_names:
        raise refusal("too-long", f"object {over[0]} has {len(fields[over[0]])} characters, more than EMVCo allows")
    return ("long-name",) if over else ()


def missing(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Note that one of category, name and city is missing, which EMVCo wants and many schemes waive."""
    return () if "52" in fields and "59" in fields and "60" in fields else ("emv-mandatory-missing",)


def read_currency(fields: Mapping[str, str]) -> Currency:
    """Object 53: the ISO 4217 numeric code, three digits."""
    code = fields["53"]
    unit = _CURRENCIES.get(code)
    if unit is None:
        what = "an active ISO 4217 currency" if _three_digits(code) else "three digits"
        raise refusal("unknown-currency", f"currency {code!r} is not {what}")
    return unit


def read_country(fields: Mapping[str, str]) -> str:
    """Object 58: the ISO 3166-1 two-letter code, upper-case."""
    code = fields["58"]
    if code not in COUNTRIES:
        raise refusal("unknown-country", f"country {code!r} is not an ISO 3166 code")
    return code


def read_amount(text: str, unit: Currency) -> int:
    """Minor units of an amount as objects 54 and 56 write it: ASCII digits, perhaps a point, which may be the last."""
    if len(text) > MAX_AMOUNT_LENGTH:
        raise refusal("bad-amount", f"the amount has {len(text)} characters; {MAX_AMOUNT_LENGTH} fit")
    match = _amount(text)
    if match is None:
        raise refusal("bad-amount", f"amount {text!r} is not written as digits with an optional point, such as 12.50")
    whole, decimals = match.group(1), match.group(2) or ""
    if len(decimals) > unit.decimals:
        raise refusal("bad-amount", f"{unit.alpha} has {unit.decimals} decimals; {text} has {len(decimals)}")
    try:
        return payable(int(whole + decimals.ljust(unit.decimals, "0")))
    except BadAmount as bad:
        raise refusal("bad-amount", f"amount {text}: {bad.detail}") from bad


def read_category(fields: Mapping[str, str]) -> str:
    """Object 52: the merchant category code of ISO 18245, four digits, or empty."""
    code = fields.get("52", "")
    if code and not _category(code):
        raise refusal("bad-category", f"merchant category {code!r} is not four digits")
    return code


def read_single_use(fields: Mapping[str, str]) -> bool:
    """Object 01, point of initiation: 12 is made for one payment, 11 (or none) for many."""
    code = fields.get("01", "11")
    if code not in ("11", "12"):
        raise refusal("bad-initiation", f"point of initiation {code!r} is neither 11 nor 12")
    return code == "12"


def read_tip(fields: Mapping[str, str], unit: Currency) -> Tip | None:
    """Objects 55, 56, 57: 56 stands with 55=02 and never else, 57 with 55=03 and never else."""
    if not ("55" in fields or "56" in fields or "57" in fields):
        return None
    kind = _TIP_KINDS.get(fields.get("55", ""), "")
    if not kind:
        raise refusal("bad-tip", f"tip rule {fields.get('55', '')!r} is not 01, 02 or 03")
    if ("56" in fields) != (kind == "fixed") or ("57" in fields) != (kind == "percent"):
        raise refusal("bad-tip", "objects 55, 56 and 57 contradict each other")
    if kind == "fixed":
        return Tip(kind, fixed=read_amount(fields["56"], unit))
    if kind == "percent":
        return Tip(kind, hundredths=_hundredths(fields["57"]))
    return Tip(kind)


def _hundredths(text: str) -> int:
    match = _percentage(text)
    if match is None:
        raise refusal("bad-tip", f"percentage {text!r} is not 00.01 to 99.99")
    value = int(match.group(1) + (match.group(2) or "").ljust(2, "0"))
    if not value:
        raise refusal("bad-tip", "a percentage of zero")
    return value


def read_reference(fields: Mapping[str, str], references: tuple[str, ...], parse: Parse) -> Reference:
    """Object 62 (additional data), and the references of the scheme's own template."""
    ref1, ref2 = (*references, "", "")[:2]
    if "62" not in fields:
        return Reference(ref1=ref1, ref2=ref2) if ref1 or ref2 else _NO_REFERENCE
    data = parse(fields["62"])
    said = data.get
    return Reference(
        said("01", ""), said("02", ""), said("03", ""), said("04", ""),
        said("05", ""), said("06", ""), said("07", ""), said("08", ""),
        ref1, ref2,
    )  # fmt: skip


def read_local_name(fields: Mapping[str, str], parse: Parse) -> LocalName | None:
    """Object 64: language and name together, the city if it likes."""
    if "64" not in fields:
        return None
    data = parse(fields["64"])
    if "00" not in data or "01" not in data:
        raise refusal("missing-field", "object 64 needs a language (00) and a name (01)")
    return LocalName(data["00"], data["01"], data.get("02", ""))


_NO_REFERENCE = Reference()
