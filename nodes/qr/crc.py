"""The checksum of a payment code: CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF; EMVCo MPM 4.7.3)."""

from __future__ import annotations

import binascii

HEAD = "6304"


def checksum(text: str) -> str:
    """Four upper-case hex digits over the UTF-8 bytes of `text`, which ends with the CRC's own id and length."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"
