"""The JSON form of the terms, the same between institutions, in evidence files and in the project's own stores.

Bytes are 0x-hex, amounts strings of minor units, everything else as JSON has it; a dataclass is an object with
exactly its fields, a tuple a list. Reading refuses anything else with the path of the first wrong value, so that what
was read can be hashed, stored and written again: an address or a UETR in another case, a hash of 31 bytes, half a
surrogate pair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Form
from contracts.terms.money import MinorUnits, SignedMinorUnits

Kind = TypeVar("Kind")

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)
_MAX_INTEGER = 2**64
_AMOUNTS = {MinorUnits: range(2**128), SignedMinorUnits: range(-(2**127), 2**127)}


def to_document(value: Any) -> Any:
    """The JSON form of a dataclass of the terms (or of anything it is made of)."""
    return _write(value, type(value))


def from_document(kind: type[Kind], document: Any) -> Kind:
    """Read the JSON form of `kind`. Raises Malformed with the path of the first wrong value."""
    found: Kind = _read(kind, document, kind.__name__)
    return found


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _write(value: Any, hint: Any) -> Any:
    if _is_optional(hint):
        return None if value is None else _write(value, _present(hint))
    if hint in _AMOUNTS:
        return str(value)
    if is_dataclass(value):
        kind: Any = type(value)
        hints = _hints(kind)
        return {field.name: _write(getattr(value, field.name), hints[field.name]) for field in fields(value)}
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        item = get_args(hint)[0] if get_args(hint) else None
        return [_write(element, item) for element in value]
    return value


def _read(hint: Any, value: Any, path: str) -> Any:
    if hint in _AMOUNTS:
        return _read_amount(hint, value, path)
    if get_origin(hint) is Annotated:
        return _read_formed(hint, value, path)
    if _is_optional(hint):
        return None if value is None else _read(_present(hint), value, path)
    if is_dataclass(hint):
        return _read_object(hint, value, path)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise Malformed(f"{path}: a list is needed")
        return tuple(_read(get_args(hint)[0], item, f"{path}[{index}]") for index, item in enumerate(value))
    if hint is bytes:
        return bytes.fromhex(_matching(_HEX, value, path, "0x and lower-case hex digits")[2:])
    return _read_scalar(hint, value, path)


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, UnionType) or get_origin(hint) is Union


def _present(hint: Any) -> Any:
    [present] = [option for option in get_args(hint) if option is not NoneType]
    return present


def _read_amount(hint: Any, value: Any, path: str) -> int:
    amount = int(_matching(_INTEGER, value, path, "a string of digits"))
    if amount not in _AMOUNTS[hint]:
        raise Malformed(f"{path}: out of range")
    return amount


def _read_formed(hint: Any, value: Any, path: str) -> Any:
    kind, *marks = get_args(hint)
    found = _read(kind, value, path)
    for form in marks:
        if isinstance(form, Form) and not form.fits(found):
            raise Malformed(f"{path}: {form.needed} is needed")
    return found


def _read_object(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise Malformed(f"{path}: an object is needed")
    hints = _hints(kind)
    if unknown := value.keys() - hints.keys():
        raise Malformed(f"{path}: {min(unknown)[:40]!r} is not one of its fields")
    arguments = {}
    for field in fields(kind):
        if field.name in value:
            arguments[field.name] = _read(hints[field.name], value[field.name], f"{path}.{field.name}")
        elif field.default is MISSING:
            raise Malformed(f"{path}.{field.name} is missing")
    return kind(**arguments)


def _read_scalar(hint: Any, value: Any, path: str) -> Any:
    if type(value) is not hint:
        raise Malformed(f"{path}: {hint.__name__} is needed")
    if hint is int and not 0 <= value < _MAX_INTEGER:
        raise Malformed(f"{path}: out of range")
    if hint is str and not _is_unicode(value):
        raise Malformed(f"{path}: half a surrogate pair is no character")
    return value


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _matching(pattern: re.Pattern[str], value: Any, path: str, needed: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(f"{path}: {needed} is needed")
    return value
