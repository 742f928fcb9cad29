"""Images of payment codes: PNG and SVG out, any picture with a code in it in. Bytes only; no file is touched here."""

from __future__ import annotations

import io

import segno
import zxingcpp
from PIL import Image, UnidentifiedImageError

from nodes.qr.refusal import refusal

MODULE, QUIET_ZONE = 12, 4
"""Pixels of one module, so that a quarter of the size can still be read; modules of margin (ISO/IEC 18004)."""

MAX_PIXELS = 50_000_000
MAX_BYTES = 20_000_000


def png(text: str) -> bytes:
    """The code as a black and white PNG."""
    return _drawn(text, "png")


def svg(text: str) -> bytes:
    """The code as an SVG document."""
    return _drawn(text, "svg")


def read_image(data: bytes) -> tuple[str, ...]:
    """The texts of all codes in a picture, at least one. Raises BadPaymentCode (bad-image, no-code)."""
    found = zxingcpp.read_barcodes(_opened(data))
    if not found:
        raise refusal("no-code", "no code was found in the picture; take it closer, straight and in better light")
    return tuple(each.bytes.decode(errors="surrogateescape") for each in found)


def _drawn(text: str, kind: str) -> bytes:
    # Level M as most schemes ask; no micro codes, which payment applications do not scan.
    code = segno.make(text, error="m", micro=False, encoding=None if text.isascii() else "utf-8")
    stream = io.BytesIO()
    code.save(stream, kind=kind, scale=MODULE, border=QUIET_ZONE)
    return stream.getvalue()


def _opened(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise refusal("bad-image", f"the picture has {len(data)} bytes; {MAX_BYTES} are looked at")
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            raise refusal("bad-image", f"the picture has more than {MAX_PIXELS} pixels")
        return image.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as failure:
        raise refusal("bad-image", "the file is no picture that can be read, such as PNG or JPEG") from failure
