"""Payment schemes as data: how a code of each is recognised, and what it must hold.

Origins: EMVCo QR Code Specification for Payment Systems, Merchant-Presented Mode 1.1; Bank of Thailand, Thai QR Code
Payment Standard (PromptPay); SGQR specification (PayNow); UnionPay QR Code payment specification (ids 15 and 16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

EMV_MAX_LENGTH = 512
"""What EMVCo advises at most (MPM 3.3)."""

MAX_INPUT = 4096
"""No code of any scheme is longer, and nothing longer is looked at."""


@dataclass(frozen=True)
class Template:
    """One kind of merchant account template (26-51), recognised by its GUID in whatever id it stands.

    `accounts`: sub-ids of which exactly one names the payee; `required` and `optional`: other sub-ids that are
    checked. Each maps to the pattern of its value. `references` are the sub-ids of the scheme's own ref1 and ref2;
    `expiry` and `editable` those of PayNow's deadline and of its flag that the payer may change the amount.
    """

    guid: str
    accounts: dict[str, str]
    required: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    expiry: str = ""
    editable: str = ""


@dataclass(frozen=True)
class Scheme:
    """A scheme. `country` (ISO 3166) and `currency` (ISO 4217) are empty where it works in many.

    `mandatory` are the top-level ids that EMVCo wants and this scheme does not waive. `primitive_ids` hold an account
    without a template, of the form `primitive_form`.
    """

    name: str
    country: str = ""
    currency: str = ""
    templates: tuple[Template, ...] = ()
    primitive_ids: tuple[str, ...] = ()
    primitive_form: str = ""
    mandatory: tuple[str, ...] = ()
    max_length: int = EMV_MAX_LENGTH


_EMVCO_MANDATORY = ("52", "59", "60")
_ANY = r".{1,99}"
_PROMPTPAY_PROXY = {
    "01": r"[0-9]{13}",  # mobile: 00, country code, national number
    "02": r"[0-9]{13}",  # national or tax id
    "03": r"[0-9]{15}",  # e-wallet
    "04": r"[0-9]{1,43}",  # bank account
    "05": _ANY,  # one-time
}
PROMPTPAY_PROXY = "A000000677010111"
PROMPTPAY_BILL = "A000000677010112"
PAYNOW_GUID = "SG.PAYNOW"

SGQR = Scheme(
    "SGQR",
    country="SG",
    currency="SGD",
    templates=(Template("SG.SGQR", accounts={"01": _ANY}),),
    mandatory=_EMVCO_MANDATORY,
    max_length=MAX_INPUT,  # a label of many schemes outgrows EMVCo's advice
)
PROMPTPAY = Scheme(
    "PROMPTPAY",
    country="TH",
    currency="THB",
    templates=(
        Template(PROMPTPAY_PROXY, accounts=_PROMPTPAY_PROXY),
        Template("A000000677010114", accounts=_PROMPTPAY_PROXY),
        Template(PROMPTPAY_BILL, accounts={"01": r"[0-9]{13}(?:[0-9]{2})?"}, references=("02", "03")),
        Template("A000000677010113", accounts={"01": _ANY}, references=("02", "04")),
        Template("A000000677012006", accounts={"01": r"[0-9]{13,19}"}, references=("02", "03")),  # cross-border
    ),
)
PAYNOW = Scheme(
    "PAYNOW",
    country="SG",
    currency="SGD",
    templates=(
        Template(
            PAYNOW_GUID,
            accounts={"02": r"[+]?[0-9A-Za-z]{1,30}"},
            required={"01": r"[02]"},  # mobile, UEN
            optional={"03": r"[01]", "04": r"[0-9]{8}(?:[0-9]{6})?"},
            references=("05",),
            expiry="04",
            editable="03",
        ),
    ),
    mandatory=_EMVCO_MANDATORY,
)
UNIONPAY = Scheme(
    "UNIONPAY",
    primitive_ids=("15", "16"),
    primitive_form=r"[0-9]{31}",  # acquirer IIN 8, forwarding IIN 8, merchant 15
    mandatory=_EMVCO_MANDATORY,
)
EMV = Scheme("EMV")
"""No scheme that we know: nothing is waived or asked, because the scheme that would say so is unknown."""

SCHEMES = (SGQR, PROMPTPAY, PAYNOW, UNIONPAY)
"""In the order in which a code that carries several is named."""

TEMPLATES = {template.guid: (scheme, template) for scheme in SCHEMES for template in scheme.templates}
PRIMITIVES = {identifier: scheme for scheme in SCHEMES for identifier in scheme.primitive_ids}


def matches(pattern: str, value: str) -> bool:
    """True when the whole value has the pattern's form; digits are ASCII digits."""
    return re.fullmatch(pattern, value, re.ASCII) is not None
