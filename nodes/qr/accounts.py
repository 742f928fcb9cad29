"""Merchant account information (EMVCo MPM ids 02-51): who is named as payee, and by which scheme's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nodes.qr.expiry import read_expiry
from nodes.qr.payment_code import MerchantAccount
from nodes.qr.refusal import refusal
from nodes.qr.rules import Parse
from nodes.qr.schemes import BY_NAME, EMV, ISSUERS, NAMELESS, PRIMITIVES, TEMPLATES, Scheme, Template


@dataclass(frozen=True)
class Claim:
    """One merchant account with what its template says beside it."""

    scheme: Scheme
    account: MerchantAccount
    references: tuple[str, ...] = ()
    expires: datetime | None = None
    editable: bool = False


def read_claims(fields: Mapping[str, str], country: str, parse: Parse) -> list[Claim]:
    """Every merchant account of the code, at least one. Raises BadPaymentCode."""
    claims: list[Claim] = []
    found: set[tuple[str, int]] = set()
    for identifier, value in fields.items():
        if "02" <= identifier < "26":
            claims.append(_primitive(identifier, value))
        elif "26" <= identifier <= "51":
            claims.append(_template(identifier, value, country, parse, found))
    if not claims:
        raise refusal("missing-field", "the code names no merchant account (ids 02 to 51)")
    return claims


def _primitive(identifier: str, value: str) -> Claim:
    described = PRIMITIVES.get(identifier)
    if described is None or not described[1].form(value):
        # ids 15 and 16 also hold older, shorter numbers that name no acquirer
        return Claim(EMV, MerchantAccount(EMV.name, "", value))
    scheme, primitive = described
    return Claim(scheme, MerchantAccount(scheme.name, "", value, value[: primitive.institution_length]))


def _template(identifier: str, value: str, country: str, parse: Parse, found: set[tuple[str, int]]) -> Claim:
    objects = parse(value)
    guid = _folded(objects.get("00", ""))
    described = _described(identifier, guid)
    if described is None:
        return _unknown(identifier, guid, objects, country)
    scheme, template = described
    # identity, not equality: a template is one entry of the file
    if (guid, id(template)) in found:
        raise refusal("conflicting-fields", f"the code names two {scheme.name} accounts of one kind")
    found.add((guid, id(template)))
    return _known(scheme, template, guid, _flat(template, objects, parse))


def _described(identifier: str, guid: str) -> tuple[Scheme, Template] | None:
    candidates = TEMPLATES.get(guid)
    if candidates is None:
        candidates = tuple(each for each in NAMELESS if each[1].guid_form(guid))  # type: ignore[misc]
    for described in candidates:
        if not described[1].ids or identifier in described[1].ids:
            return described
    return None


def _unknown(identifier: str, guid: str, objects: Mapping[str, str], country: str) -> Claim:
    """A template of no GUID that we know: in some countries each issuer has its own."""
    if ":" in guid or guid in BY_NAME or guid in TEMPLATES:
        raise refusal("bad-guid", f"the name of template {identifier} would pass for another scheme's")
    if country in ISSUERS:
        scheme, issuer = ISSUERS[country]
        if not issuer.ids or identifier in issuer.ids:
            return _known(scheme, issuer, guid, objects)
    return Claim(EMV, MerchantAccount(EMV.name, guid, objects.get("01", "")))


def _folded(guid: str) -> str:
    """Upper case, but of ASCII only: Unicode has letters whose upper case is an ASCII letter."""
    return guid.upper() if guid.isascii() else guid


def _flat(template: Template, objects: Mapping[str, str], parse: Parse) -> Mapping[str, str]:
    """The objects with those of nested templates beside them, under "01.00" and so on."""
    if not template.nested:
        return objects
    inner = {
        f"{outer}.{identifier}": value
        for outer in template.nested
        for identifier, value in parse(objects.get(outer, "")).items()
    }
    return {**objects, **inner}


def _known(scheme: Scheme, template: Template, guid: str, objects: Mapping[str, str]) -> Claim:
    account = _account(scheme, template, objects)
    for identifier in template.required:
        if identifier not in objects:
            raise refusal("missing-field", f"object {identifier} of the {scheme.name} template is missing")
    for identifier, form in template.checks:
        if identifier in objects and not form(objects[identifier]):
            raise refusal("bad-field", f"object {identifier} of the {scheme.name} template has not the right form")
    if template.kind and not template.kinds[objects[template.kind]](account):
        raise refusal("bad-field", f"the account of the {scheme.name} template is not of its kind")
    institution = _institution(template, objects)
    if template.guid_form:
        account, guid = account.lower(), scheme.name
    return Claim(
        scheme,
        MerchantAccount(scheme.name, guid, account, institution),
        tuple([objects.get(identifier, "") for identifier in template.references]),
        read_expiry(objects[template.expiry], scheme.utc_offset) if template.expiry in objects else None,
        objects.get(template.editable) == "1",
    )


def _account(scheme: Scheme, template: Template, objects: Mapping[str, str]) -> str:
    present = [identifier for identifier in template.accounts if identifier in objects]
    if not present:
        if template.optional_account:
            return ""
        raise refusal("missing-field", f"the {scheme.name} template names no account")
    if len(present) > 1 and not template.together:
        raise refusal("conflicting-fields", f"the {scheme.name} template names {len(present)} accounts")
    return objects[present[0]]


def _institution(template: Template, objects: Mapping[str, str]) -> str:
    whole = objects.get(template.institution, "")
    if template.institution_after:
        return whole.rpartition(template.institution_after)[2].lower()
    return whole[: template.institution_length or None]
