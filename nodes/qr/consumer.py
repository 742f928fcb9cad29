"""Consumer-presented codes (CPM) of our own: the customer shows one, the merchant scans it, once.

    FQC1 | issuer prefix, 8 of A-Z 0-9 | token, 26 of A-Z 2-7 (RFC 4648 base32 of 16 bytes) | CRC-16, 4 hex digits

Only characters of a QR code's alphanumeric mode. The token says nothing; the issuer alone knows whose it is.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass

from nodes.qr.crc import checksum
from nodes.qr.refusal import refusal

SCHEME = "FQC1"
_FORM = re.compile(r"FQC1([A-Z0-9]{8})([A-Z2-7]{26})([0-9A-F]{4})", re.ASCII)


@dataclass(frozen=True)
class ConsumerCode:
    """A code as scanned: who issued it, and the opaque token that only the issuer understands."""

    issuer_prefix: str
    token: str


def new_token() -> str:
    """128 random bits: nobody guesses a live one."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def write_consumer_code(code: ConsumerCode) -> str:
    """The text to show as a QR code."""
    body = f"{SCHEME}{code.issuer_prefix}{code.token}"
    return body + checksum(body)


def read_consumer_code(text: str) -> ConsumerCode:
    """Read a scanned code. Raises BadPaymentCode (bad-field, crc-mismatch)."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise refusal("bad-field", "a customer's code is FQC1, 34 characters and a checksum")
    if checksum(text[:-4]) != match.group(3):
        raise refusal("crc-mismatch", "the code's checksum is wrong; scan it again")
    return ConsumerCode(match.group(1), match.group(2))
