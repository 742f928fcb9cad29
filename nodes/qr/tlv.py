"""EMVCo MPM objects (QR Code Specification for Payment Systems, 4.1): two digits of id, two of length, the value."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nodes.qr.refusal import refusal

MAX_VALUE = 99
UNRESERVED = "80"
"""Templates from here on belong to whoever uses them; codes in the wild leave them empty."""

_ID = re.compile(r"[0-9]{2}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{2}", re.ASCII)


def parse(text: str) -> dict[str, str]:
    """Objects by id, in their order. Lengths count characters. Raises BadPaymentCode: truncated, bad-id, bad-length,
    repeated-id."""
    objects: dict[str, str] = {}
    position = 0
    while position < len(text):
        identifier, length = _head(text, position)
        value = text[position + 4 : position + 4 + length]
        if len(value) < length:
            raise refusal("truncated", f"object {identifier} says {length} characters, {len(value)} are left")
        if identifier in objects:
            raise refusal("repeated-id", f"object {identifier} stands there twice")
        objects[identifier] = value
        position += 4 + length
    return objects


def format_objects(objects: Iterable[tuple[str, str]]) -> str:
    """The inverse of `parse`. Raises BadPaymentCode: bad-id, bad-length, too-long, repeated-id."""
    objects = tuple(objects)
    seen = {identifier for identifier, _ in objects}
    if len(seen) != len(objects):
        raise refusal("repeated-id", "an object can be written once")
    return "".join(_format_one(identifier, value) for identifier, value in objects)


def _head(text: str, position: int) -> tuple[str, int]:
    identifier, length = text[position : position + 2], text[position + 2 : position + 4]
    if len(length) < 2:
        raise refusal("truncated", f"{len(text) - position} characters at the end are no object")
    if not _ID.fullmatch(identifier):
        raise refusal("bad-id", f"id {identifier!r} is not two digits")
    if not _LENGTH.fullmatch(length) or (length == "00" and identifier < UNRESERVED):
        raise refusal("bad-length", f"length {length!r} of object {identifier} is not 01 to 99")
    return identifier, int(length)


def _format_one(identifier: str, value: str) -> str:
    if not _ID.fullmatch(identifier):
        raise refusal("bad-id", f"id {identifier!r} is not two digits")
    if not value and identifier < UNRESERVED:
        raise refusal("bad-length", f"object {identifier} is empty")
    if len(value) > MAX_VALUE:
        raise refusal("too-long", f"object {identifier} has {len(value)} characters; {MAX_VALUE} fit")
    return f"{identifier}{len(value):02d}{value}"
