"""Merchant account information (EMVCo MPM ids 02-51): who is named as payee, and by which scheme's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from nodes.qr.payment_code import MerchantAccount
from nodes.qr.refusal import refusal
from nodes.qr.schemes import EMV, PRIMITIVES, SCHEMES, TEMPLATES, Scheme, Template, matches
from nodes.qr.tlv import parse

SINGAPORE = timezone(timedelta(hours=8))
"""PayNow's expiry is in local time; it is the only scheme here that has one."""

_NAMES = frozenset(scheme.name for scheme in (*SCHEMES, EMV))


@dataclass(frozen=True)
class Claim:
    """One merchant account with what its template says beside it."""

    scheme: Scheme
    account: MerchantAccount
    references: tuple[str, ...] = ()
    expires: datetime | None = None
    editable: bool = False


def read_claims(fields: Mapping[str, str]) -> tuple[Claim, ...]:
    """Every merchant account of the code, at least one. Raises BadPaymentCode."""
    primitives = [_primitive(identifier, value) for identifier, value in fields.items() if "02" <= identifier < "26"]
    templates = [_template(identifier, value) for identifier, value in fields.items() if "26" <= identifier <= "51"]
    if not primitives and not templates:
        raise refusal("missing-field", "the code names no merchant account (ids 02 to 51)")
    known = [claim.account.guid for claim in templates if claim.account.guid in TEMPLATES]
    if len(set(known)) != len(known):
        raise refusal("conflicting-fields", "the code names two accounts of one scheme")
    return (*primitives, *templates)


def _primitive(identifier: str, value: str) -> Claim:
    scheme = PRIMITIVES.get(identifier, EMV)
    if not matches(scheme.primitive_form, value):
        scheme = EMV  # ids 15 and 16 also hold older, shorter numbers that name no acquirer
    return Claim(scheme, MerchantAccount(scheme.name, "", value))


def _template(identifier: str, value: str) -> Claim:
    objects = parse(value)
    guid = _folded(objects.get("00", ""))
    if guid in TEMPLATES:
        scheme, template = TEMPLATES[guid]
        return _known(scheme, template, objects)
    if ":" in guid or guid in _NAMES:
        raise refusal("bad-guid", f"the name of template {identifier} would pass for another scheme's")
    return Claim(EMV, MerchantAccount(EMV.name, guid, objects.get("01", "")))


def _folded(guid: str) -> str:
    """Upper case, but of ASCII only: Unicode has letters whose upper case is an ASCII letter."""
    return guid.upper() if guid.isascii() else guid


def _known(scheme: Scheme, template: Template, objects: Mapping[str, str]) -> Claim:
    present = [identifier for identifier in template.accounts if identifier in objects]
    if not present:
        raise refusal("missing-field", f"the {scheme.name} template names no account")
    if len(present) > 1:
        raise refusal("conflicting-fields", f"the {scheme.name} template names {len(present)} accounts")
    _check_forms(scheme, template, objects)
    return Claim(
        scheme,
        MerchantAccount(scheme.name, template.guid, objects[present[0]]),
        tuple(objects.get(identifier, "") for identifier in template.references),
        _expiry(objects[template.expiry]) if template.expiry in objects else None,
        objects.get(template.editable) == "1",
    )


def _check_forms(scheme: Scheme, template: Template, objects: Mapping[str, str]) -> None:
    for identifier in template.required:
        if identifier not in objects:
            raise refusal("missing-field", f"object {identifier} of the {scheme.name} template is missing")
    for identifier, pattern in {**template.accounts, **template.required, **template.optional}.items():
        if identifier in objects and not matches(pattern, objects[identifier]):
            raise refusal("bad-field", f"object {identifier} of the {scheme.name} template has not the right form")


def _expiry(text: str) -> datetime:
    """YYYYMMDD (until the end of that day) or YYYYMMDDHHMMSS. Raises BadPaymentCode (bad-expiry)."""
    clock = text[8:] or "235959"
    try:
        return datetime(
            int(text[:4]), int(text[4:6]), int(text[6:8]), int(clock[:2]), int(clock[2:4]), int(clock[4:]),
            tzinfo=SINGAPORE,
        )  # fmt: skip
    except ValueError as failure:
        raise refusal("bad-expiry", f"{text} is not a date") from failure
