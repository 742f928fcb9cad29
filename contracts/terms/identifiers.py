"""Identifiers: what each looks like, and the check that refuses a wrong one."""

from __future__ import annotations

import re
import uuid

from contracts.terms.errors import Malformed

Address = str
"""An EVM account: "0x" and 40 lower-case hex digits, so that text order is numeric order."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}", re.ASCII)
_UETR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)

NO_UETR = bytes(16)
"""The `originalUetr` of a payment that returns nothing."""


def address(text: str) -> Address:
    """Normalise an EVM address to lower case. Raises Malformed."""
    if not _ADDRESS.fullmatch(text):
        raise Malformed(f"{text[:60]!r} is not an address: 0x and 40 hex digits")
    return text.lower()


def new_uetr() -> str:
    """A fresh Unique End-to-end Transaction Reference: a version 4 UUID (ISO 20022 UUIDv4Identifier)."""
    return str(uuid.uuid4())


def uetr(text: str) -> str:
    """Check a UETR. Raises Malformed."""
    if not _UETR.fullmatch(text):
        raise Malformed(f"{text[:60]!r} is not a UETR: a lower-case version 4 UUID")
    return text


def uetr_bytes(text: str) -> bytes:
    """The 16 bytes of a UETR; 16 zero bytes for the empty string (no original payment)."""
    return uuid.UUID(text).bytes if text else NO_UETR


def bic(text: str) -> str:
    """Check a Business Identifier Code (ISO 9362): 8 or 11 characters. Raises Malformed."""
    if not _BIC.fullmatch(text):
        raise Malformed(f"{text[:20]!r} is not a BIC (ISO 9362)")
    return text


def lei(text: str) -> str:
    """Check a Legal Entity Identifier (ISO 17442): 18 characters and two check digits, modulo 97. Raises Malformed."""
    if not _LEI.fullmatch(text) or _mod97(text) != 1:
        raise Malformed(f"{text[:30]!r} is not an LEI (ISO 17442): its check digits do not agree")
    return text


def lei_with_check_digits(first18: str) -> str:
    """Complete the first 18 characters of an LEI with its two check digits (ISO 17442, ISO/IEC 7064 MOD 97-10)."""
    return lei(f"{first18}{98 - _mod97(first18 + '00'):02d}")


def _mod97(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text)) % 97
