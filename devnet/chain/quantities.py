"""JSON-RPC's way of writing numbers and bytes (execution-apis, "hex encoding"), read strictly."""

import re
from typing import Any

from devnet.chain.errors import invalid_params

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


def quantity(value: Any, name: str) -> int:
    """A non-negative integer up to 256 bits from its 0x text."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"{name}: want a 0x quantity")
    return int(value, 16)


def data(value: Any, name: str, size: int | None = None) -> bytes:
    """Bytes from their 0x text, of exactly `size` if given."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params(f"{name}: want 0x bytes")
    decoded = bytes.fromhex(value[2:])
    if size is not None and len(decoded) != size:
        raise invalid_params(f"{name}: want {size} bytes, got {len(decoded)}")
    return decoded


def as_hex(value: bytes) -> str:
    return "0x" + value.hex()


def as_word(value: int) -> str:
    """An integer as 32 bytes."""
    return "0x" + value.to_bytes(32, "big").hex()
