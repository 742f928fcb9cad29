"""`feiqian qr`: read and write payment codes on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from contracts.terms.errors import BadPaymentCode, FeiqianError
from contracts.terms.money import currency, parse_decimal
from nodes.qr import writer
from nodes.qr.compose import Payee, Saying, compose, compose_link
from nodes.qr.explain import Facts, explain
from nodes.qr.payment_code import Reference
from nodes.qr.schemes import BY_NAME, MAX_INPUT

MAX_LINE = 4 * MAX_INPUT + 2
"""Bytes of a line that can still be a code: four bytes of UTF-8 a character, and the line's end."""

Amount = Annotated[str, typer.Option(help="As people write it, such as 12.50; none: the payer names it.")]
Name = Annotated[str, typer.Option(help="The merchant's name, up to 25 characters.")]
City = Annotated[str, typer.Option(help="The merchant's city, up to 15 characters.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
Picture = Annotated[Path | None, typer.Option("--image", help="Draw the code into this file too, .png or .svg.")]

app = typer.Typer(no_args_is_help=True, help="Read and write payment codes.")
encode = typer.Typer(no_args_is_help=True, help="Write a payment code.")
app.add_typer(encode, name="encode")


@app.command()
def decode(
    text: Annotated[str, typer.Argument(help="A code, a picture's file, or - for one code a line on standard input.")],
    today: Day = None,
) -> None:
    """Say what a code says: one JSON object a line. `--today` judges expiry as of that day. The exit status is 1 when a
    single code, or a code in a picture, is refused; of a list each line tells."""
    day = today.date() if today else None
    if text == "-":
        for line in _lines(sys.stdin.buffer):
            print(json.dumps(explain(line, day)), flush=True)
        return
    answers = list(_in_picture(Path(text), day)) if _is_file(text) else [explain(text, day)]
    for answer in answers:
        print(json.dumps(answer))
    if not all(answer["valid"] for answer in answers):
        raise typer.Exit(1)


@encode.command("code")
def encode_code(
    scheme: Annotated[str, typer.Argument(help=", ".join(BY_NAME))],
    objects: Annotated[list[str], typer.Argument(help="The payee, as the scheme numbers it: 02=201403121W")],
    amount: Amount = "",
    unit: Annotated[str, typer.Option("--currency", help="Where the scheme knows several, or none.")] = "",
    country: Annotated[str, typer.Option(help="Where the scheme has none.")] = "",
    name: Name = "",
    city: City = "",
    category: Annotated[str, typer.Option(help="Four digits of ISO 18245.")] = "",
    postal_code: str = "",
    bill_number: str = "",
    label: Annotated[str, typer.Option(help="The reference label.")] = "",
    terminal: str = "",
    purpose: str = "",
    image: Picture = None,
) -> None:
    """Any scheme's code: static without an amount, dynamic with one. Addresses (UPI, TWQR, ALIPAY ...) take their
    parameters or their token instead: pa=tea@bank pn=Tea am=10."""

    def written() -> str:
        values = _pairs(objects)
        if any(not key[:2].isdigit() for key in values):
            return compose_link(scheme, values)
        money = unit or next(iter(BY_NAME[scheme].currency), "") if scheme in BY_NAME else unit
        saying = Saying(
            amount=_minor(amount, money),
            merchant_name=name,
            merchant_city=city,
            category=category,
            postal_code=postal_code,
            country=country,
            currency=unit,
            reference=Reference(bill_number=bill_number, reference_label=label, terminal=terminal, purpose=purpose),
        )
        return compose([Payee(scheme, values)], saying)

    _print(written, image)


@encode.command("promptpay-bill")
def encode_promptpay_bill(
    biller_id: str,
    ref1: str,
    ref2: str = "",
    amount: Amount = "",
    name: Name = "",
    city: City = "",
    image: Picture = None,
) -> None:
    """PromptPay bill payment: the biller's 15 digits and its references."""
    _print(lambda: writer.promptpay_bill(biller_id, ref1, ref2, _minor(amount, "THB"), name, city), image)


@encode.command("promptpay-proxy")
def encode_promptpay_proxy(
    proxy_type: str, proxy_value: str, amount: Amount = "", name: Name = "", city: City = "", image: Picture = None
) -> None:
    """PromptPay credit transfer: mobile, national-id, e-wallet or bank-account, and its digits."""
    _print(lambda: writer.promptpay_proxy(proxy_type, proxy_value, _minor(amount, "THB"), name, city), image)


@encode.command("paynow")
def encode_paynow(
    proxy_type: str,
    proxy_value: str,
    amount: Amount = "",
    name: Name = "NA",
    city: City = "Singapore",
    reference: str = "",
    editable: bool = False,
    expires: Day = None,
    image: Picture = None,
) -> None:
    """PayNow: mobile or uen, and the number."""
    day = expires.date() if expires else None

    def written() -> str:
        return writer.paynow(proxy_type, proxy_value, _minor(amount, "SGD"), editable, name, city, reference, day)

    _print(written, image)


@encode.command("unionpay")
def encode_unionpay(
    merchant_value: str,
    amount: Amount = "",
    name: Name = "NA",
    city: City = "NA",
    category: str = "0000",
    image: Picture = None,
) -> None:
    """UnionPay: 31 digits (acquirer 8, forwarding 8, merchant 15)."""
    _print(lambda: writer.unionpay(merchant_value, _minor(amount, "CNY"), name, city, category), image)


def _is_file(text: str) -> bool:
    """Codes are no paths: a text too long or too odd to be one is no file."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _in_picture(path: Path, day: date | None) -> Iterator[Facts]:
    from nodes.qr.images import read_image  # the libraries of pictures load only for pictures

    try:
        texts = read_image(path.read_bytes())
    except BadPaymentCode as bad:
        yield {"valid": False, "reason": bad.fields["code_reason"], "detail": bad.detail}
        return
    for text in texts:
        yield explain(text, day)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines without their ends. An over-long one is cut where `read` refuses it anyway: memory stays bounded."""
    while line := stream.readline(MAX_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        # bytes that are no UTF-8 become lone surrogates, which no code holds
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode(errors="surrogateescape")


def _pairs(objects: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in objects]
    if not all(key and equals for key, equals, _ in pairs):
        raise typer.BadParameter("the payee is given as ID=VALUE, such as 02=201403121W")
    return {key: value for key, _, value in pairs}


def _minor(amount: str, unit: str) -> int | None:
    return parse_decimal(amount, currency(unit)) if amount else None


def _print(write: Callable[[], str], image: Path | None) -> None:
    try:
        text = write()
    except FeiqianError as refused:
        raise typer.BadParameter(refused.detail) from refused
    if image is not None:
        _draw(text, image)
    print(text)


def _draw(text: str, image: Path) -> None:
    from nodes.qr import images  # as above

    if image.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"{image.name}: a code is drawn as .png or .svg")
    image.write_bytes(images.svg(text) if image.suffix.lower() == ".svg" else images.png(text))
