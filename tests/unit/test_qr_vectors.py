"""Every labelled merchant-presented code of the schemes that we read gets its stated answer."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.terms.errors import BadPaymentCode
from contracts.terms.money import parse_decimal
from nodes.qr import PaymentCode, read, write
from nodes.qr.cli import describe

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "qr" / "qr_vectors.jsonl"
SCHEMES = {"PROMPTPAY", "PAYNOW", "UNIONPAY", "EMV", "SGQR"}
LABELLED_ON = date(2023, 8, 1)
"""The vectors call a PayNow code that ran out on this day valid, and one that ran out in 2020 not."""

THE_RULE_WINS = {
    "qr-0060": "bad-amount",  # JPY has no decimals, the amount has three
    "qr-0137": "bad-tip",  # 55=01 asks the payer, yet 56 and 57 state a fee
}
REASONS = {
    "qr-0110": "crc-mismatch",
    "qr-0088": "missing-field",
    "qr-0326": "truncated",
    "qr-0327": "crc-not-last",
    "qr-0328": "bad-amount",
    "qr-0345": "country-mismatch",
    "qr-0346": "currency-mismatch",
    "qr-0347": "unknown-currency",
    "qr-0349": "unknown-country",
    "qr-0350": "bad-category",
    "qr-0351": "bad-tip",
    "qr-0362": "too-long",
    "qr-0364": "control-character",
    "qr-0366": "unsupported-format",
    "qr-0368": "format-indicator-not-first",
    "qr-0370": "repeated-id",
    "qr-0373": "bad-length",
    "qr-0378": "bad-field",
    "qr-0379": "expired",
    "qr-0383": "bad-initiation",
    "qr-0388": "too-long",
}


def rows() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    every = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    return [row for row in every if row["mode"] == "MPM" and row["scheme"] in SCHEMES]


ROWS = rows()
VALID = [row for row in ROWS if row["valid"] and row["id"] not in THE_RULE_WINS]
INVALID = [row for row in ROWS if not row["valid"]]


@pytest.fixture(autouse=True)
def _vectors_are_here() -> None:
    if not ROWS:
        pytest.skip("the labelled payment codes are not beside the project (../shared/data/qr/qr_vectors.jsonl)")


def said(code: PaymentCode) -> dict[str, Any]:
    """The facts of a code under the names of the vectors' `expected`."""
    reference, tip, local = code.reference, code.tip, code.local_name
    kinds = {"prompt": "01", "fixed": "02", "percent": "03"}
    return {
        "merchant_name": code.merchant_name,
        "merchant_city": code.merchant_city,
        "country": code.country,
        "currency": f"{code.currency.numeric:03d}",
        "currency_alpha": code.currency.alpha,
        "amount": code.amount,
        "mcc": code.category,
        "poi": "12" if code.single_use else "11",
        "postal_code": code.postal_code,
        "bill_number": reference.bill_number,
        "reference_label": reference.reference_label,
        "terminal_label": reference.terminal,
        "purpose": reference.purpose,
        "tip": tip and kinds[tip.kind],
        "fee_fixed": tip and tip.fixed,
        "fee_percent": tip and tip.hundredths,
        "lang": local and local.language,
        "merchant_name_alt": local and local.name,
        "ids": [identifier for identifier, _ in code.fields] + ["63"],
    }


def stated(row: dict[str, Any], code: PaymentCode) -> dict[str, Any]:
    """The vectors' `expected`, its decimals turned into integers."""
    expected = dict(row["expected"])
    for name in {"amount", "fee_fixed"} & expected.keys():
        expected[name] = parse_decimal(expected[name].rstrip("."), code.currency)
    if "fee_percent" in expected:
        whole, _, decimals = expected["fee_percent"].partition(".")
        expected["fee_percent"] = int(whole + decimals.ljust(2, "0"))
    return expected


@pytest.mark.parametrize("row", VALID, ids=lambda row: row["id"])
def test_a_valid_code_says_what_its_label_says(row: dict[str, Any]) -> None:
    code = read(row["payload"], LABELLED_ON)
    facts, expected = said(code), stated(row, code)
    assert {name: facts[name] for name in expected} == expected
    assert code.scheme == row["scheme"]


@pytest.mark.parametrize("row", VALID, ids=lambda row: row["id"])
def test_a_valid_code_is_written_back_as_it_was(row: dict[str, Any]) -> None:
    payload = row["payload"]
    assert write(read(payload, LABELLED_ON)) == payload[:-4] + payload[-4:].upper()


@pytest.mark.parametrize("row", INVALID, ids=lambda row: row["id"])
def test_an_invalid_code_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(BadPaymentCode) as refused:
        read(row["payload"], LABELLED_ON)
    assert refused.value.fields["code_reason"] == REASONS.get(row["id"], refused.value.fields["code_reason"])


def test_the_rule_wins_over_two_labels() -> None:
    reasons = {row["id"]: describe(row["payload"], LABELLED_ON).get("reason") for row in ROWS}
    assert {name: reasons[name] for name in THE_RULE_WINS} == THE_RULE_WINS


def test_all_labelled_reasons_were_met() -> None:
    assert REASONS.keys() <= {row["id"] for row in INVALID}
