"""Writing a code of any scheme from its description. Whatever is written has been read back before it is returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.terms.money import Currency, currency, format_decimal
from nodes.qr.parameters import write_parameters
from nodes.qr.payment_code import LocalName, PaymentCode, Reference, Tip
from nodes.qr.read import read_undated
from nodes.qr.refusal import refusal
from nodes.qr.rules import TIP_RULES
from nodes.qr.schemes import BY_NAME, Scheme, Template
from nodes.qr.tlv import format_objects
from nodes.qr.writer import Objects, write_tlv

_FREE_IDS = [f"{number:02d}" for number in range(26, 52)]


@dataclass(frozen=True)
class Payee:
    """Whom a code names in one scheme: values by sub-id as the scheme's template numbers them ("01.00" within a nested
    one), or the value of a primitive under its top-level id. The template is that of the GUID in "00", else the first.
    """

    scheme: str
    objects: Mapping[str, str]


@dataclass(frozen=True)
class Saying:
    """What a code says beside its payees. `amount` in minor units makes it a code for one payment, unless `reusable`.
    Country and currency are the first scheme's own where they are left out."""

    amount: int | None = None
    merchant_name: str = ""
    merchant_city: str = ""
    category: str = ""
    postal_code: str = ""
    country: str = ""
    currency: str = ""
    reference: Reference = field(default_factory=Reference)
    tip: Tip | None = None
    local_name: LocalName | None = None
    reusable: bool = False


def compose(payees: Sequence[Payee], saying: Saying) -> str:
    """A merchant-presented code; with several payees, one that pays all (each in a template of its own, as on a
    Singapore label). Raises BadPaymentCode for whatever the reader would refuse."""
    schemes = [_scheme(payee.scheme) for payee in payees]
    if not schemes:
        raise refusal("missing-field", "a code names at least one payee")
    country = saying.country or next((scheme.country[0] for scheme in schemes if scheme.country), "")
    alpha = saying.currency or next((scheme.currency[0] for scheme in schemes if scheme.currency), "")
    if not country or not alpha:
        raise refusal("missing-field", f"{schemes[0].name} has no country and currency of its own; name both")
    unit = currency(alpha)
    single_use = saying.amount is not None and not saying.reusable
    asks_category = any("52" in scheme.mandatory for scheme in schemes)
    objects: Objects = [
        ("00", schemes[0].formats[-1]),
        ("01", "12" if single_use else "11"),
        *_accounts(payees),
        ("52", saying.category or ("0000" if asks_category else "")),
        *_money(saying, unit),
        ("58", country),
        ("59", saying.merchant_name),
        ("60", saying.merchant_city),
        ("61", saying.postal_code),
        ("62", _additional(saying.reference)),
        ("64", _local(saying.local_name)),
    ]
    text = write_tlv((identifier, value) for identifier, value in objects if value)
    read_undated(text)
    return text


def compose_link(scheme_name: str, values: Mapping[str, str]) -> str:
    """A code that is an address: a link's parameters, or its token (and institution). TWQR takes its `name` and `type`
    (01 purchase, 02 transfer) besides. Raises BadPaymentCode."""
    scheme, values = _scheme(scheme_name), dict(values)
    if scheme.name == "TWQR":
        address = f"TWQRP://{values.pop('name', 'Transfer')}/158/{values.pop('type', '02')}/V1"
        text = f"{address}?{write_parameters(values.items())}"
    elif scheme.addresses:
        text = f"{scheme.addresses[0]}?{write_parameters(values.items())}"
    else:
        text = _token_link(scheme, values)
    code = read_undated(text)
    assert isinstance(code, PaymentCode)
    return text


def _scheme(name: str) -> Scheme:
    if name not in BY_NAME:
        raise refusal("unknown-form", f"scheme {name!r} is not one of {', '.join(BY_NAME)}")
    return BY_NAME[name]


def _token_link(scheme: Scheme, values: Mapping[str, str]) -> str:
    for link in scheme.links:
        wanted = {name for name in ("institution", "token") if f"{{{name}}}" in link.write}
        if wanted == values.keys():
            return link.write.format(**values)
    raise refusal("unknown-form", f"{scheme.name} has no address of {', '.join(values) or 'nothing'}")


def _accounts(payees: Iterable[Payee]) -> Objects:
    """Each payee under the id that its scheme likes, else the first that is free; in the ids' order."""
    written: dict[str, str] = {}
    for payee in payees:
        scheme = BY_NAME[payee.scheme]
        if scheme.primitive and payee.objects.keys() <= set(scheme.primitive.ids):
            written |= payee.objects
            continue
        template = _template(scheme, payee.objects)
        guid = payee.objects.get("00") or (template.guid[0] if template else "")
        wished = [template.write] if template and template.write else []
        free = [identifier for identifier in [*wished, *_FREE_IDS] if identifier not in written]
        if not free:
            raise refusal("too-long", "a code has room for 26 templates")
        written[free[0]] = _nested({"00": guid, **payee.objects})
    return sorted(written.items())


def _template(scheme: Scheme, objects: Mapping[str, str]) -> Template | None:
    known = [*scheme.templates, *([scheme.issuer] if scheme.issuer else [])]
    named = [template for template in known if objects.get("00", "").upper() in template.guid]
    return next(iter(named or known), None)


def _nested(objects: Mapping[str, str]) -> str:
    """Objects whose sub-ids may be paths: "01.00" is object 00 within object 01."""
    inner: dict[str, dict[str, str]] = {}
    flat: dict[str, str] = {}
    for path, value in objects.items():
        outer, dot, rest = path.partition(".")
        if dot:
            inner.setdefault(outer, {})[rest] = value
        elif value:
            flat[outer] = value
    flat |= {outer: _nested(values) for outer, values in inner.items()}
    return format_objects(sorted(flat.items()))


def _money(saying: Saying, unit: Currency) -> Objects:
    objects: Objects = [("53", f"{unit.numeric:03d}")]
    if saying.amount is not None:
        objects.append(("54", format_decimal(saying.amount, unit)))
    tip = saying.tip
    if tip is not None:
        objects.append(("55", TIP_RULES[tip.kind]))
        if tip.kind == "fixed":
            objects.append(("56", format_decimal(tip.fixed, unit)))
        if tip.kind == "percent":
            objects.append(("57", f"{tip.hundredths // 100}.{tip.hundredths % 100:02d}"))
    return objects


def _additional(reference: Reference) -> str:
    labels = (
        reference.bill_number, reference.mobile, reference.store, reference.loyalty,
        reference.reference_label, reference.customer, reference.terminal, reference.purpose,
    )  # fmt: skip
    return format_objects((f"{number:02d}", label) for number, label in enumerate(labels, 1) if label)


def _local(name: LocalName | None) -> str:
    if name is None:
        return ""
    return format_objects(part for part in (("00", name.language), ("01", name.name), ("02", name.city)) if part[1])
