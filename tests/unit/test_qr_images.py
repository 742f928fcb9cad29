"""Every image that we write is read back, also turned, blurred and at a quarter of its size."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner

from contracts.terms.errors import BadPaymentCode
from nodes.qr.cli import app
from nodes.qr.images import MAX_PIXELS, png, read_image, svg
from tests.fuzz.seeds import seeds
from tests.qr_vectors import valid_rows

TEXTS = [*seeds()[:9], "upi://pay?pa=tea@okbank&pn=Tea&am=12.50", "https://qr.alipay.com/abc", "289431869362714645"]
LABELLED = [row["payload"] for row in valid_rows()]


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(png(text))).convert("L")


def as_png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def degraded(image: Image.Image, how: str) -> Image.Image:
    match how:
        case "turned by 17 degrees":
            return image.rotate(17, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
        case "turned by 90 degrees":
            return image.rotate(90, expand=True)
        case "blurred":
            return image.filter(ImageFilter.GaussianBlur(4))
        case "at a quarter of its size":
            return image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS)
    return image


@pytest.mark.parametrize(
    "how", ["as it is", "turned by 17 degrees", "turned by 90 degrees", "blurred", "at a quarter of its size"]
)
def test_a_picture_is_read_back(how: str) -> None:
    for text in (*TEXTS, *LABELLED[::7]):
        assert read_image(as_png(degraded(picture(text), how))) == (text,), how


def test_every_labelled_code_is_drawn_and_read() -> None:
    for text in LABELLED:
        assert read_image(png(text)) == (text,)


def test_a_drawing_is_svg() -> None:
    drawing = svg(TEXTS[0]).decode()
    assert drawing.startswith("<?xml")
    assert "</svg>" in drawing


def test_what_is_no_picture_of_a_code_is_refused() -> None:
    blank = Image.new("L", (200, 200), 255)
    huge = Image.new("1", (MAX_PIXELS // 1000 + 1, 1000), 1)
    for data, reason in ((b"", "bad-image"), (b"\x89PNG\r\n\x1a\n", "bad-image"), (as_png(huge), "bad-image"),
                         (as_png(blank), "no-code")):  # fmt: skip
        with pytest.raises(BadPaymentCode) as refused:
            read_image(data)
        assert refused.value.fields["code_reason"] == reason


def test_the_command_draws_and_reads_a_picture(tmp_path: Path) -> None:
    for name in ("code.png", "code.svg"):
        drawn = CliRunner().invoke(
            app,
            [
                "encode",
                "code",
                "VIETQR",
                "01.00=970436",
                "01.01=0103193343",
                "--amount",
                "50000",
                "--image",
                str(tmp_path / name),
            ],
        )
        assert drawn.exit_code == 0, drawn.output
        assert (tmp_path / name).stat().st_size > 100
    run = CliRunner().invoke(app, ["decode", str(tmp_path / "code.png")])
    facts = json.loads(run.output)
    assert (run.exit_code, facts["scheme"], facts["amount"], facts["institution"]) == (0, "VIETQR", "50000", "970436")
    (tmp_path / "none.png").write_bytes(as_png(Image.new("L", (50, 50), 255)))
    none = CliRunner().invoke(app, ["decode", str(tmp_path / "none.png")])
    assert (none.exit_code, json.loads(none.output)["reason"]) == (1, "no-code")
    assert (
        CliRunner().invoke(app, ["encode", "unionpay", "7" * 31, "--image", str(tmp_path / "code.gif")]).exit_code == 2
    )
