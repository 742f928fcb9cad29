"""TWQR links of Taiwan: `TWQRP://<name>/158/<01 purchase | 02 transfer>/V1?D5=<bank>&D6=<account>&D10=901`.

Issuers disagree whether D1 counts dollars or cents, and nothing in the code tells which. So its amount is kept as
written and never turned into money: the payer names the amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from contracts.terms.errors import BadPaymentCode
from contracts.terms.money import currency
from nodes.qr.expiry import read_expiry
from nodes.qr.parameters import Parameters, decoded
from nodes.qr.payment_code import Link, MerchantAccount, PaymentCode, Reference
from nodes.qr.refusal import refusal
from nodes.qr.schemes import Scheme, form

UNCLEAR_AMOUNT = "unclear-amount"

_address = form(r"(?i:twqrp)://([^/?#&=]{1,60})/158/(01|02)/(?:V1|v1)")
_FORMS = {
    "D1": form(r"0{0,11}[1-9][0-9]{0,11}"),
    "D2": form(r"[0-9A-Za-z_-]{0,40}"),
    "D3": form(r"[0-9A-Za-z+/_-]{0,64}"),
    "D5": form(r"[0-9]{3}"),
    "D6": form(r"[0-9]{16}"),
    "D9": form(r"[^&=?#%<>]{0,60}"),
    "D10": form(r"901"),
    "D11": form(r"[0-9A-Za-z,;:_-]{0,200}"),
    "D12": form(r"[0-9]{8}|[0-9]{14}"),
}
_other = form(r"D(?:[478]|1[3-9])")


def read_twqr(scheme: Scheme, address: str, parameters: Parameters) -> PaymentCode:
    """What a TWQR link says. Raises BadPaymentCode."""
    match = _address(address)
    if match is None:
        raise refusal("bad-field", "a TWQR code begins with TWQRP://name/158/01/V1 or .../02/V1")
    said = _checked(parameters)
    name, purchase = decoded(match.group(1)), match.group(2) == "01"
    account = _payee(said, purchase)
    return PaymentCode(
        scheme=scheme.name,
        country=scheme.country[0],
        currency=currency(scheme.currency[0]),
        amount=None,
        merchant_name=name if purchase else "",
        merchant_city="",
        category="",
        accounts=(account,),
        reference=Reference(bill_number=said.get("D2", "")),
        single_use=False,
        expires=_expiry(said, scheme),
        amount_editable=True,
        tip=None,
        postal_code="",
        local_name=None,
        fields=parameters,
        notes=(UNCLEAR_AMOUNT,) if "D1" in said else (),
        link=Link("purchase" if purchase else "transfer", address, "", said.get("D1", ""), said.get("D9", "")),
    )


def _checked(parameters: Parameters) -> dict[str, str]:
    said: dict[str, str] = {}
    for name, value in parameters:
        if name in said:
            raise refusal("repeated-id", f"parameter {name} stands there twice")
        if name not in _FORMS and not _other(name):
            raise refusal("bad-id", f"parameter {name!r} is none of a TWQR code")
        if name in _FORMS and not _FORMS[name](value):
            raise refusal("bad-amount" if name == "D1" else "bad-field", f"parameter {name} has not the right form")
        said[name] = value
    return said


def _payee(said: Mapping[str, str], purchase: bool) -> MerchantAccount:
    if "D5" in said and "D6" in said:
        return MerchantAccount("TWQR", "", said["D6"], said["D5"])
    if purchase and ("D11" in said or "D3" in said):
        return MerchantAccount("TWQR", "", said.get("D11", "") or said["D3"])
    raise refusal("missing-field", "the code names no account (D5 and D6) and no acquirer (D11)")


def _expiry(said: Mapping[str, str], scheme: Scheme) -> datetime | None:
    with suppress(BadPaymentCode):
        return read_expiry(said.get("D12", ""), scheme.utc_offset)
    return None
