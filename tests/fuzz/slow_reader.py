"""A second reader of payment codes that shares nothing with ours: bit by bit, without tables, slow.

It tells what amount stands in a text that is well-formed, and judges nothing else.
"""

from __future__ import annotations

import re
from fractions import Fraction
from urllib.parse import unquote


class Unreadable(Exception):
    """The text is not one code, whole and with the right checksum."""


def objects_of(text: str, in_bytes: bool) -> list[tuple[str, str]]:
    """Top-level objects of an EMVCo code. Raises Unreadable."""
    rest = text.encode() if in_bytes else text
    found = []
    while rest:
        head = rest[:4].decode("latin-1") if isinstance(rest, bytes) else rest[:4]
        if not re.match(r"^[0123456789]{4}$", head) or head.endswith("\n"):
            raise Unreadable(f"no object begins with {head!r}")
        length = 10 * "0123456789".index(head[2]) + "0123456789".index(head[3])
        value, rest = rest[4 : 4 + length], rest[4 + length :]
        if len(value) != length:
            raise Unreadable("cut off")
        found.append((head[:2], value.decode() if isinstance(value, bytes) else value))
    return found


def crc_16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE, one bit after the other."""
    register = 0xFFFF
    for byte in data:
        for place in range(7, -1, -1):
            bit = (byte >> place) & 1
            carry = (register >> 15) & 1
            register = (register << 1) & 0xFFFF
            if carry != bit:
                register ^= 0x1021
    return register


def emv_amount(text: str, in_bytes: bool = False) -> tuple[str, Fraction | None]:
    """Currency (numeric) and amount of an EMVCo code. Raises Unreadable."""
    found = objects_of(text, in_bytes)
    if not found or found[0][0] != "00" or found[-1][0] != "63" or len(found[-1][1]) != 4:
        raise Unreadable("00 is not the first object, or 63 not the last")
    if int(found[-1][1], 16) != crc_16(text[:-4].encode()):
        raise Unreadable("the checksum is wrong")
    named = [value for identifier, value in found if identifier == "54"]
    units = [value for identifier, value in found if identifier == "53"]
    if len(named) > 1 or len(units) != 1:
        raise Unreadable("amount or currency stands there twice, or no currency at all")
    return units[0], _fraction(named[0]) if named else None


def upi_amount(text: str) -> Fraction | None:
    """The amount of a UPI link. Raises Unreadable."""
    query = text[text.index("?") + 1 :]
    named = {unquote(part.split("=", 1)[1]) for part in query.split("&") if re.match("(?i)am=", unquote(part))}
    if len(named) > 1:
        raise Unreadable("two amounts")
    return _fraction(named.pop()) if named else None


def _fraction(text: str) -> Fraction:
    """The value of digits with a point, summed up place by place."""
    total, weight, seen_point = Fraction(0), Fraction(1), False
    for character in text:
        if character == ".":
            if seen_point:
                raise Unreadable("two points")
            seen_point = True
            continue
        if character not in "0123456789":
            raise Unreadable(f"{character!r} in an amount")
        digit = ord(character) - ord("0")
        if seen_point:
            weight /= 10
            total += digit * weight
        else:
            total = total * 10 + digit
    return total
