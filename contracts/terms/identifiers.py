"""Identifiers: what each looks like, and the check that refuses a wrong one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from contracts.terms.errors import Malformed


@dataclass(frozen=True)
class Form:
    """The one form of a value in documents; `needed` says it in words.

    Hashes are made over bytes laid end to end and records are kept by text: a value with a second form would give one
    payment two names, or two payments one.
    """

    needed: str
    fits: Callable[[Any], object]


_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_LEI = re.compile(r"[A-Z0-9]{18}(?!00|01|99)[0-9]{2}", re.ASCII)
_UETR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)

Address = Annotated[str, Form("an address (0x, 40 lower-case hex digits)", re.compile("0x[0-9a-f]{40}").fullmatch)]
"""An EVM account: "0x" and 40 lower-case hex digits, so that text order is numeric order."""

Uetr = Annotated[str, Form("a UETR (a lower-case version 4 UUID)", _UETR.fullmatch)]
"""A Unique End-to-end Transaction Reference."""

OptionalUetr = Annotated[str, Form("a UETR or an empty text", lambda text: not text or _UETR.fullmatch(text))]
"""The UETR of the payment that is returned, or empty."""

Hash = Annotated[bytes, Form("a hash of 32 bytes", lambda raw: len(raw) == 32)]
"""A hash, commitment, root or nonce: 32 bytes."""

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
    return bytes.fromhex(text.replace("-", "")) if text else NO_UETR


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
