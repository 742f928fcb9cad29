"""The parameters of a link: `name=value` joined by `&`, percent-encoded (RFC 3986; a plus sign is a plus sign)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from nodes.qr.refusal import refusal
from nodes.qr.rules import check_characters

Parameters = tuple[tuple[str, str], ...]

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_parameters(query: str) -> Parameters:
    """All of them, in their order, empty ones too. Raises BadPaymentCode."""
    found = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise refusal("bad-field", f"{part!r} is not a parameter of the form name=value")
        found.append((decoded(name), decoded(value)))
    return tuple(found)


def decoded(text: str) -> str:
    """Percent-decoded once. Raises BadPaymentCode."""
    if "%" not in text:
        return text
    if _BAD_PERCENT.search(text):
        raise refusal("bad-encoding", f"{text!r} has a percent sign without two hexadecimal digits")
    try:
        plain = unquote_to_bytes(text).decode()
    except UnicodeDecodeError as failure:
        raise refusal("bad-encoding", f"{text!r} is no UTF-8") from failure
    check_characters(plain)
    return plain


def write_parameters(parameters: Iterable[tuple[str, str]]) -> str:
    """The inverse of `read_parameters`."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='@:,;+/')}" for name, value in parameters)


def once(parameters: Parameters) -> dict[str, str]:
    """Parameters that are not empty, by their name in lower case. One may be repeated with the same value; raises
    BadPaymentCode (conflicting-fields) when the values differ."""
    values: dict[str, str] = {}
    for name, value in parameters:
        if values.setdefault(name.lower(), value) != value:
            raise refusal("conflicting-fields", f"parameter {name!r} stands there twice with different values")
    return {name: value for name, value in values.items() if value}
