"""`feiqian qr`: read and write payment codes on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Annotated, BinaryIO

import typer

from contracts.terms.errors import BadPaymentCode, FeiqianError
from contracts.terms.money import currency, format_decimal, parse_decimal
from nodes.qr import writer
from nodes.qr.payment_code import PaymentCode
from nodes.qr.reader import read
from nodes.qr.schemes import MAX_INPUT

MAX_LINE = 4 * MAX_INPUT + 2
"""Bytes of a line that can still be a code: four bytes of UTF-8 a character, and the line's end."""

Amount = Annotated[str, typer.Option(help="As people write it, such as 12.50; none: the payer names it.")]
Name = Annotated[str, typer.Option(help="The merchant's name, up to 25 characters.")]
City = Annotated[str, typer.Option(help="The merchant's city, up to 15 characters.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]

app = typer.Typer(no_args_is_help=True, help="Read and write payment codes.")
encode = typer.Typer(no_args_is_help=True, help="Write a payment code.")
app.add_typer(encode, name="encode")


@app.command()
def decode(
    text: Annotated[str, typer.Argument(help="A payment code, or - for one a line on standard input.")],
    today: Day = None,
) -> None:
    """Say what a code says: one JSON object a line. `--today` judges expiry as of that day."""
    day = today.date() if today else None
    if text == "-":
        for line in _lines(sys.stdin.buffer):
            print(json.dumps(describe(line, day)))
        return
    answer = describe(text, day)
    print(json.dumps(answer))
    if not answer["valid"]:
        raise typer.Exit(1)


@encode.command("promptpay-bill")
def encode_promptpay_bill(
    biller_id: str, ref1: str, ref2: str = "", amount: Amount = "", name: Name = "", city: City = ""
) -> None:
    """PromptPay bill payment: the biller's 15 digits and its references."""
    _print(lambda: writer.promptpay_bill(biller_id, ref1, ref2, _minor(amount, "THB"), name, city))


@encode.command("promptpay-proxy")
def encode_promptpay_proxy(
    proxy_type: str, proxy_value: str, amount: Amount = "", name: Name = "", city: City = ""
) -> None:
    """PromptPay credit transfer: mobile, national-id, e-wallet or bank-account, and its digits."""
    _print(lambda: writer.promptpay_proxy(proxy_type, proxy_value, _minor(amount, "THB"), name, city))


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
) -> None:
    """PayNow: mobile or uen, and the number."""
    day = expires.date() if expires else None
    _print(lambda: writer.paynow(proxy_type, proxy_value, _minor(amount, "SGD"), editable, name, city, reference, day))


@encode.command("unionpay")
def encode_unionpay(
    merchant_value: str, amount: Amount = "", name: Name = "NA", city: City = "NA", category: str = "0000"
) -> None:
    """UnionPay: 31 digits (acquirer 8, forwarding 8, merchant 15)."""
    _print(lambda: writer.unionpay(merchant_value, _minor(amount, "CNY"), name, city, category))


def describe(text: str, today: date | None = None) -> dict[str, object]:
    """What `decode` prints for one payload."""
    try:
        code = read(text, today)
    except BadPaymentCode as bad:
        return {"valid": False, "reason": bad.fields["code_reason"], "detail": bad.detail}
    return {"valid": True, **_facts(code)}


def _facts(code: PaymentCode) -> dict[str, object]:
    return {
        "scheme": code.scheme,
        "merchant_name": code.merchant_name,
        "merchant_city": code.merchant_city,
        "country": code.country,
        "currency": code.currency.alpha,
        "amount": None if code.amount is None else format_decimal(code.amount, code.currency),
        "category": code.category,
        "accounts": [account.lookup_key for account in code.accounts],
        "reference": {name: value for name, value in vars(code.reference).items() if value},
        "single_use": code.single_use,
        "expires": code.expires.isoformat() if code.expires else None,
    }


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines without their ends. An over-long one is cut where `read` refuses it anyway: memory stays bounded."""
    while line := stream.readline(MAX_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        # bytes that are no UTF-8 become lone surrogates, which no code holds
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode(errors="surrogateescape")


def _minor(amount: str, unit: str) -> int | None:
    return parse_decimal(amount, currency(unit)) if amount else None


def _print(write: Callable[[], str]) -> None:
    try:
        print(write())
    except FeiqianError as refused:
        raise typer.BadParameter(refused.detail) from refused
