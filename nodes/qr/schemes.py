"""Payment schemes as data, read once from `schemes.toml`: how a code is recognised, and what it must hold.

Patterns match whole values; their digits are ASCII digits.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

EMV_MAX_LENGTH = 512
"""What EMVCo advises at most (MPM 3.3)."""

MAX_INPUT = 4096
"""No code of any scheme is longer, and nothing longer is looked at."""

PROMPTPAY_PROXY = "A000000677010111"
PROMPTPAY_BILL = "A000000677010112"
PAYNOW_GUID = "SG.PAYNOW"

Form = Callable[[str], object]
"""A whole value's form: truthy when the value has it."""


@dataclass(frozen=True)
class Template:
    """One kind of merchant account template, recognised by its GUID (upper-case), in `ids` or in any of 26-51.

    `accounts`: sub-ids that name the payee, of which exactly one stands (`together`: several may, the first is the
    account; `optional_account`: none need). `required` and `optional`: other sub-ids that are checked. Each maps to
    the form of its value. Sub-ids in `nested` are templates themselves, theirs are written "01.00".
    `kind` is the sub-id that says what the account is, `kinds` what form the account then has.
    `references` are the sub-ids of the scheme's own ref1 and ref2; `expiry` and `editable` those of its deadline and
    of its flag that the payer may change the amount; `institution` that of who answers for the account: its first
    `institution_length` characters, or what stands after `institution_after`. `write` is the id to write it under.
    `guid_form` is set where the account itself stands in the GUID's place.
    """

    accounts: Mapping[str, Form]
    guid: tuple[str, ...] = ()
    guid_form: Form | None = None
    ids: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    required: Mapping[str, Form] = field(default_factory=dict)
    optional: Mapping[str, Form] = field(default_factory=dict)
    kind: str = ""
    kinds: Mapping[str, Form] = field(default_factory=dict)
    together: bool = False
    optional_account: bool = False
    references: tuple[str, ...] = ()
    expiry: str = ""
    editable: str = ""
    institution: str = ""
    institution_length: int = 0
    institution_after: str = ""
    write: str = ""

    @cached_property
    def checks(self) -> tuple[tuple[str, Form], ...]:
        """Each sub-id whose value has a form."""
        return (*self.accounts.items(), *self.required.items(), *self.optional.items())


@dataclass(frozen=True)
class Primitive:
    """An account without a template, under one of `ids` (02-25); the institution is its first characters."""

    ids: tuple[str, ...]
    form: Form
    institution_length: int
    write: str


@dataclass(frozen=True)
class Link:
    """A code that is an address. `form` has the groups `token` and perhaps `institution`; `host` is the exact host
    of an https address; `write` is the inverse of the form."""

    kind: str
    form: Callable[[str], re.Match[str] | None]
    write: str
    host: str = ""
    country: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Barcode:
    """A customer's number, shown once; `lengths` and `prefixes` are the form in words."""

    form: Form
    lengths: str
    prefixes: str
    country: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Scheme:
    """A scheme. `country` (ISO 3166) and `currency` (ISO 4217) are those it is used in, empty where it has no own.

    `mandatory` are the top-level ids that EMVCo wants and this scheme does not waive; `formats` what object 00 may
    say. `issuer` describes templates of unknown GUIDs in the scheme's country: each issuer has its own there. A code of
    the scheme's country that names no scheme but holds one of `primitive_ids` is this scheme's. `expiry` is the path
    of the deadline where it stands at top level, `utc_offset` the hours of its clock; `refuses_expired` is set where
    the scheme's rules bind the reader to it. `addresses` begin its links with parameters, in lower case.
    """

    name: str
    source: str
    country: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("01",)
    mandatory: tuple[str, ...] = ()
    max_length: int = EMV_MAX_LENGTH
    long_names: bool = False
    utc_offset: int = 0
    refuses_expired: bool = False
    expiry: str = ""
    templates: tuple[Template, ...] = ()
    issuer: Template | None = None
    primitive: Primitive | None = None
    primitive_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    barcodes: tuple[Barcode, ...] = ()

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The top-level ids that no code of the scheme lacks: currency and country always."""
        return "53", "58", *self.mandatory


def form(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """The test whether a whole value has a form."""
    return re.compile(pattern, re.ASCII).fullmatch


@cache
def _form(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return form(pattern)


def matches(pattern: str, value: str) -> bool:
    """True when the whole value has the pattern's form."""
    return _form(pattern)(value) is not None


_FORMS = ("guid_form", "form")
_FORM_TABLES = ("accounts", "required", "optional", "kinds")


def _described(kind: Any, table: Mapping[str, Any]) -> Any:
    """One description as a `kind`; a key that the kind does not know is a mistake in the file."""
    known = {each.name for each in fields(kind)}
    assert table.keys() <= known, f"schemes.toml: {kind.__name__} has no {sorted(table.keys() - known)}"
    return kind(**{name: _value(name, value) for name, value in table.items()})


def _value(name: str, value: Any) -> Any:
    if name in _FORMS:
        return form(value)
    if name in _FORM_TABLES:
        return {identifier: form(pattern) for identifier, pattern in value.items()}
    if name == "guid":
        return (value,) if isinstance(value, str) else tuple(value)
    return tuple(value) if isinstance(value, list) else value


def _scheme(table: dict[str, Any]) -> Scheme:
    parts = {
        "templates": tuple(_described(Template, each) for each in table.pop("template", ())),
        "links": tuple(_described(Link, each) for each in table.pop("link", ())),
        "barcodes": tuple(_described(Barcode, each) for each in table.pop("barcode", ())),
    }
    for name, kind in (("issuer", Template), ("primitive", Primitive)):
        if name in table:
            parts[name] = _described(kind, table.pop(name))
    return _described(Scheme, table | parts)  # type: ignore[no-any-return]


def _load() -> tuple[Scheme, ...]:
    text = files("nodes.qr").joinpath("schemes.toml").read_text(encoding="utf-8")
    return tuple(_scheme(table) for table in tomllib.loads(text)["scheme"])


SCHEMES = _load()
"""In the order in which a code that carries several is named; the last is EMV, no scheme that we know."""

BY_NAME = {scheme.name: scheme for scheme in SCHEMES}
RANK = {scheme.name: rank for rank, scheme in enumerate(SCHEMES)}
EMV = BY_NAME["EMV"]

_Described = tuple[Scheme, Template]


def _by_guid(described: Iterable[_Described]) -> dict[str, tuple[_Described, ...]]:
    index: dict[str, tuple[_Described, ...]] = {}
    for scheme, template in described:
        for guid in template.guid:
            index[guid] = (*index.get(guid, ()), (scheme, template))
    return index


_EVERY = [(scheme, template) for scheme in SCHEMES for template in scheme.templates]
TEMPLATES = _by_guid(_EVERY)
"""By GUID, in upper case."""

NAMELESS = tuple((scheme, template) for scheme, template in _EVERY if template.guid_form)
"""Templates without a GUID of their own."""

ISSUERS = {scheme.country[0]: (scheme, scheme.issuer) for scheme in SCHEMES if scheme.issuer}
"""By country: whose scheme a template of unknown GUID is."""

_PRIMITIVES = [(scheme, scheme.primitive) for scheme in SCHEMES if scheme.primitive]
PRIMITIVES = {identifier: described for described in _PRIMITIVES for identifier in described[1].ids}
"""By id 02-25, where a scheme of ours has it."""

NAMED_BY_PRIMITIVES = {(scheme.country[0], number): scheme for scheme in SCHEMES for number in scheme.primitive_ids}
"""By country and id 02-25: the scheme that a code is called by when it names no other."""

ADDRESSES = {address: scheme for scheme in SCHEMES for address in scheme.addresses}
LINKS = tuple((scheme, link) for scheme in SCHEMES for link in scheme.links)
BARCODES = tuple((scheme, barcode) for scheme in SCHEMES for barcode in scheme.barcodes)
