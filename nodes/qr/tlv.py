"""EMVCo MPM objects (QR Code Specification for Payment Systems, 4.1): two digits of id, two of length, the value."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.terms.errors import BadPaymentCode
from nodes.qr.refusal import refusal

MAX_VALUE = 99

_IDS = frozenset(f"{number:02d}" for number in range(100))
_MAY_BE_EMPTY = frozenset(("62", *(f"{number:02d}" for number in range(80, 100))))
"""Templates that codes in the wild leave empty. An empty name or amount says nothing, or hides something."""

_HEADS = {
    f"{identifier}{length:02d}": (identifier, length)
    for identifier in _IDS
    for length in range(100)
    if length or identifier in _MAY_BE_EMPTY
}
"""Every head that an object may have: one look-up tells id and length, and takes no digit but 0 to 9."""


def parse(text: str) -> dict[str, str]:
    """Objects by id, in their order. Lengths count characters. Raises BadPaymentCode: truncated, bad-id, bad-length,
    repeated-id."""
    objects: dict[str, str] = {}
    position, end = 0, len(text)
    while position < end:
        start = position + 4
        head = _HEADS.get(text[position:start])
        if head is None:
            raise _bad_head(text, position)
        identifier, length = head
        position = start + length
        if identifier in objects:
            raise refusal("repeated-id", f"object {identifier} stands there twice")
        objects[identifier] = text[start:position]
    if position != end:
        raise refusal("truncated", f"object {identifier} says {length} characters, {end - start} are left")
    return objects


def parse_bytes(text: str) -> dict[str, str]:
    """As `parse`, but lengths count the bytes of UTF-8, which some issuers of codes in Vietnam do."""
    objects = parse(text.encode().decode("latin-1"))
    try:
        return {identifier: value.encode("latin-1").decode() for identifier, value in objects.items()}
    except UnicodeDecodeError as failure:
        raise refusal("bad-length", "a length ends in the middle of a character") from failure


def format_objects(objects: Iterable[tuple[str, str]], in_bytes: bool = False) -> str:
    """The inverse of `parse`, or of `parse_bytes`. Raises BadPaymentCode: bad-id, bad-length, too-long, repeated-id."""
    objects = tuple(objects)
    if len({identifier for identifier, _ in objects}) != len(objects):
        raise refusal("repeated-id", "an object can be written once")
    return "".join(_format_one(identifier, value, in_bytes) for identifier, value in objects)


def _bad_head(text: str, position: int) -> BadPaymentCode:
    identifier, length = text[position : position + 2], text[position + 2 : position + 4]
    if len(length) < 2:
        return refusal("truncated", f"{len(text) - position} characters at the end are no object")
    if identifier not in _IDS:
        return refusal("bad-id", f"id {identifier!r} is not two digits")
    return refusal("bad-length", f"length {length!r} of object {identifier} is not 01 to 99")


def _format_one(identifier: str, value: str, in_bytes: bool) -> str:
    if identifier not in _IDS:
        raise refusal("bad-id", f"id {identifier!r} is not two digits")
    if not value and identifier not in _MAY_BE_EMPTY:
        raise refusal("bad-length", f"object {identifier} is empty")
    length = len(value.encode()) if in_bytes else len(value)
    if length > MAX_VALUE:
        raise refusal("too-long", f"object {identifier} has {length} characters; {MAX_VALUE} fit")
    return f"{identifier}{length:02d}{value}"
