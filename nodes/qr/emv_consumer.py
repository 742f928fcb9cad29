"""EMVCo consumer-presented codes (QR Code Specification for Payment Systems, Consumer-Presented Mode 1.1): BER-TLV in
base64. They carry card data; what they say is handed on, never stored here."""

from __future__ import annotations

import base64
import binascii

from nodes.qr.payment_code import CustomerCode, Object
from nodes.qr.refusal import refusal
from nodes.qr.rules import check_characters

SCHEME = "EMV-CPM"
FORMAT = b"CPV01"
MAX_DEPTH = 4
_FORMAT_TAG, _APPLICATION, _COMMON = "85", "61", "62"


def read_emv_consumer_code(text: str) -> CustomerCode:
    """Read a customer's code. Raises BadPaymentCode."""
    check_characters(text)
    applications = read_objects(_bytes_of(text))
    if applications[0][0] != _FORMAT_TAG:
        raise refusal("format-indicator-not-first", "a consumer-presented code begins with object 85")
    if applications[0][1] != FORMAT.hex().upper():
        raise refusal("unsupported-format", "the payload format is not CPV01")
    tags = [tag for tag, _ in applications]
    if _APPLICATION not in tags:
        raise refusal("missing-field", "the code holds no application template (61)")
    if tags.count(_FORMAT_TAG) > 1 or tags.count(_COMMON) > 1:
        raise refusal("repeated-id", "objects 85 and 62 stand there once")
    return CustomerCode(SCHEME, text, (SCHEME,), applications=applications)


def read_objects(data: bytes, depth: int = 1) -> tuple[Object, ...]:
    """All objects of BER-TLV data (ISO/IEC 8825-1, definite lengths). Raises BadPaymentCode."""
    if depth > MAX_DEPTH:
        raise refusal("bad-field", f"templates are nested more than {MAX_DEPTH} deep")
    objects: list[Object] = []
    position = 0
    while position < len(data):
        start, after_tag = position, _after_tag(data, position)
        length, position = _length(data, after_tag)
        value = data[position : position + length]
        if len(value) < length:
            raise refusal("truncated", f"an object says {length} bytes, {len(value)} are left")
        position += length
        tag = data[start:after_tag].hex().upper()
        constructed = data[start] & 0x20
        objects.append((tag, read_objects(value, depth + 1) if constructed else value.hex().upper()))
    if not objects:
        raise refusal("truncated", "a template holds nothing")
    return tuple(objects)


def write_objects(objects: tuple[Object, ...]) -> bytes:
    """The inverse of `read_objects`, with the shortest lengths."""
    parts = []
    for tag, value in objects:
        content = bytes.fromhex(value) if isinstance(value, str) else write_objects(value)
        parts.append(bytes.fromhex(tag) + _written_length(len(content)) + content)
    return b"".join(parts)


def _bytes_of(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as failure:
        raise refusal("bad-encoding", "a consumer-presented code is base64") from failure
    if base64.b64encode(data).decode() != text:
        raise refusal("bad-encoding", "the base64 ends in bits that say nothing")
    return data


def _after_tag(data: bytes, position: int) -> int:
    """The position behind a tag: one byte, or, where its low five bits are set, on to a byte without the high bit."""
    if data[position] & 0x1F != 0x1F:
        return position + 1
    for following in range(position + 1, min(position + 3, len(data))):
        if not data[following] & 0x80:
            return following + 1
    raise refusal("bad-id", "a tag has no end")


def _length(data: bytes, position: int) -> tuple[int, int]:
    """A length and the position behind it: one byte up to 127, else the number of bytes that follow (one or two)."""
    if position >= len(data):
        raise refusal("truncated", "an object has no length")
    first = data[position]
    if first < 0x80:
        return first, position + 1
    end = position + 1 + (first & 0x7F)
    if first not in (0x81, 0x82) or end > len(data):
        raise refusal("bad-length", "a length is neither one byte nor one or two after 81 or 82")
    length = int.from_bytes(data[position + 1 : end], "big")
    if _written_length(length) != data[position:end]:
        raise refusal("bad-length", "a length is written longer than it need be")
    return length, end


def _written_length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    size = (length.bit_length() + 7) // 8
    return bytes([0x80 | size]) + length.to_bytes(size, "big")
