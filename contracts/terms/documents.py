"""The JSON form of the terms, the same between institutions, in evidence files and in the project's own stores.

Bytes are 0x-hex, amounts strings of minor units, everything else as JSON has it; a dataclass is an object with
exactly its fields, a tuple a list. Reading refuses anything else with the path of the first wrong value, so that what
was read can be hashed, stored and written again: an address or a UETR in another case, a hash of 31 bytes, half a
surrogate pair.

How a kind is read and written is worked out once, from its fields, into functions that fit its values alone: a payment
is read at every door on its way, by the hundred.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Form
from contracts.terms.money import MinorUnits, SignedMinorUnits

Kind = TypeVar("Kind")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

LATER = {"later": True}
"""Metadata of a field that its kind was given later: it stands in a document only where it is not its default, so that
what was hashed and committed to before is written as it was."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,38}", re.ASCII)
_MAX_INTEGER = 2**64
_AMOUNTS = {MinorUnits: range(2**128), SignedMinorUnits: range(-(2**127), 2**127)}


class _Wrong(Exception):
    """A value that is not what must stand there. Whoever reads what is around it says where it stands."""

    def __init__(self, said: str) -> None:
        self.said = said

    def at(self, place: str) -> _Wrong:
        self.said = place + self.said
        return self


def to_document(value: Any) -> Any:
    """The JSON form of a dataclass of the terms (or of anything it is made of)."""
    kind: Any = type(value)
    return _writer(kind)(value)


def from_document(kind: type[Kind], document: Any) -> Kind:
    """Read the JSON form of `kind`. Raises Malformed with the path of the first wrong value."""
    wanted: Any = kind
    try:
        found: Kind = _reader(wanted)(document)
    except _Wrong as wrong:
        raise Malformed(kind.__name__ + wrong.said) from None
    return found


@cache
def _writer(hint: Any) -> Writer:
    """What writes the values of a type as their JSON form."""
    if _is_optional(hint):
        write_present = _writer(_present(hint))
        return lambda value: None if value is None else write_present(value)
    if hint in _AMOUNTS:
        return str
    if get_origin(hint) is Annotated:
        return _writer(get_args(hint)[0])
    if is_dataclass(hint):
        return _object_writer(hint)
    if get_origin(hint) is tuple:
        write_item = _writer(get_args(hint)[0])
        return lambda values: [write_item(value) for value in values]
    if hint is bytes:
        return lambda value: "0x" + value.hex()
    if hint is tuple:
        return lambda values: [to_document(value) for value in values]
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _object_writer(kind: Any) -> Writer:
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]
    written = [(name, _writer(hints[name])) for name in names if _writer(hints[name]) is not _as_it_is]
    values_of = attrgetter(*names, names[0])  # of one name alone it would be no tuple
    later = {field.name: field.default for field in fields(kind) if field.metadata == LATER}

    def write(value: Any) -> Any:
        document = dict(zip(names, values_of(value), strict=False))
        for name, write_part in written:
            document[name] = write_part(document[name])
        for name, default in later.items():
            if getattr(value, name) == default:
                del document[name]
        return document

    return write


@cache
def _reader(hint: Any) -> Reader:
    """What reads the JSON form of a type. It raises _Wrong."""
    if hint in _AMOUNTS:
        return _amount_reader(_AMOUNTS[hint])
    if get_origin(hint) is Annotated:
        return _formed_reader(*get_args(hint))
    if _is_optional(hint):
        read_present = _reader(_present(hint))
        return lambda value: None if value is None else read_present(value)
    if is_dataclass(hint):
        return _object_reader(hint)
    if get_origin(hint) is tuple:
        return _list_reader(_reader(get_args(hint)[0]))
    if hint is bytes:
        return _read_bytes
    if hint is int:
        return _read_integer
    if hint is str:
        return _read_text
    return _scalar_reader(hint)


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, UnionType) or get_origin(hint) is Union


def _present(hint: Any) -> Any:
    [present] = [option for option in get_args(hint) if option is not NoneType]
    return present


def _object_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    parts = [(field.name, _reader(hints[field.name])) for field in fields(kind)]
    required = {field.name for field in fields(kind) if field.default is MISSING}

    def read(document: Any) -> Any:
        if not isinstance(document, dict):
            raise _Wrong(": an object is needed")
        if not document.keys() <= hints.keys():
            unknown = min(document.keys() - hints.keys())
            raise _Wrong(f": {unknown[:40]!r} is not one of its fields")
        arguments = {}
        for name, read_part in parts:
            if name in document:
                try:
                    arguments[name] = read_part(document[name])
                except _Wrong as wrong:
                    raise wrong.at(f".{name}") from None
            elif name in required:
                raise _Wrong(f".{name} is missing")
        return kind(**arguments)

    return read


def _list_reader(read_item: Reader) -> Reader:
    def read(document: Any) -> Any:
        if not isinstance(document, list):
            raise _Wrong(": a list is needed")
        found: list[Any] = []
        try:
            for item in document:
                found.append(read_item(item))
        except _Wrong as wrong:
            raise wrong.at(f"[{len(found)}]") from None
        return tuple(found)

    return read


def _amount_reader(amounts: range) -> Reader:
    def read(value: Any) -> int:
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            raise _Wrong(": a string of digits is needed")
        amount = int(value)
        if amount not in amounts:
            raise _Wrong(": out of range")
        return amount

    return read


def _formed_reader(kind: Any, *marks: Any) -> Reader:
    read = _reader(kind)
    for mark in marks:
        if isinstance(mark, Form):
            read = _fitting_reader(read, mark)
    return read


def _fitting_reader(read_any: Reader, form: Form) -> Reader:
    fits, refused = form.fits, f": {form.needed} is needed"

    def read(value: Any) -> Any:
        found = read_any(value)
        if not fits(found):
            raise _Wrong(refused)
        return found

    return read


def _read_bytes(value: Any) -> bytes:
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = bytes.fromhex(value[2:])
        except ValueError:
            found = b""
        # Upper case and white space between the digits would be read too.
        if found.hex() == value[2:]:
            return found
    raise _Wrong(": 0x and lower-case hex digits is needed")


def _read_integer(value: Any) -> int:
    if type(value) is not int:
        raise _Wrong(": int is needed")
    if not 0 <= value < _MAX_INTEGER:
        raise _Wrong(": out of range")
    return value


def _read_text(value: Any) -> str:
    if type(value) is not str:
        raise _Wrong(": str is needed")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise _Wrong(": half a surrogate pair is no character")
    return value


def _scalar_reader(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise _Wrong(f": {kind.__name__} is needed")
        return value

    return read
