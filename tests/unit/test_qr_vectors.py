"""Every labelled code gets its stated answer, by the words of `feiqian qr decode`, and is written back as it was."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from nodes.qr import read, write
from nodes.qr.explain import explain
from tests.qr_vectors import ABSENT, LABELLED_ON, THE_RULE_WINS, rows, valid_rows

REASONS = {
    "qr-0018": "crc-mismatch",
    "qr-0040": "truncated",
    "qr-0087": "missing-field",
    "qr-0110": "crc-mismatch",
    "qr-0088": "missing-field",
    "qr-0142": "bad-amount",
    "qr-0263": "truncated",
    "qr-0264": "unsupported-format",
    "qr-0265": "bad-encoding",
    "qr-0266": "format-indicator-not-first",
    "qr-0275": "bad-amount",
    "qr-0278": "bad-field",
    "qr-0279": "missing-field",
    "qr-0280": "currency-mismatch",
    "qr-0281": "conflicting-fields",
    "qr-0282": "unknown-form",
    "qr-0288": "bad-id",
    "qr-0289": "repeated-id",
    "qr-0290": "bad-amount",
    "qr-0291": "bad-field",
    "qr-0294": "look-alike-host",
    "qr-0295": "userinfo",
    "qr-0296": "not-https",
    "qr-0311": "unknown-form",
    "qr-0318": "bad-field",
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
_DECIMALS = {"amount", "fee_fixed", "fee_percent"}


ROWS = rows()
VALID = valid_rows()
INVALID = [row for row in ROWS if not row["valid"]]


@pytest.fixture(autouse=True)
def _vectors_are_here() -> None:
    if not ROWS:
        pytest.skip(ABSENT)


def said(payload: str) -> dict[str, Any]:
    """What the command prints, under the names of the vectors' `expected`."""
    facts: dict[str, Any] = json.loads(json.dumps(explain(payload, LABELLED_ON)))
    facts["currency"] = facts["currency_numeric"]
    return {name: Decimal(value) if name in _DECIMALS and value else value for name, value in facts.items()}


def stated(row: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in _DECIMALS else value for name, value in row["expected"].items()}


@pytest.mark.parametrize("row", VALID, ids=lambda row: row["id"])
def test_a_valid_code_says_what_its_label_says(row: dict[str, Any]) -> None:
    facts, expected = said(row["payload"]), stated(row)
    assert facts["valid"], facts
    assert {name: facts[name] for name in expected} == expected
    assert (facts["scheme"], facts["mode"]) == (row["scheme"], row["mode"])


@pytest.mark.parametrize("row", VALID, ids=lambda row: row["id"])
def test_a_valid_code_is_written_and_read_again_as_itself(row: dict[str, Any]) -> None:
    code = read(row["payload"], LABELLED_ON)
    assert read(write(code), LABELLED_ON) == code
    if row["mode"] in ("BARCODE", "CPM"):
        assert write(code) == row["payload"]
    if row["mode"] == "MPM":
        assert write(code) == row["payload"][:-4] + row["payload"][-4:].upper()


@pytest.mark.parametrize("row", INVALID, ids=lambda row: row["id"])
def test_an_invalid_code_is_refused(row: dict[str, Any]) -> None:
    facts = explain(row["payload"], LABELLED_ON)
    assert not facts["valid"]
    assert facts["detail"]
    assert facts["reason"] == REASONS.get(row["id"], facts["reason"])


def test_the_rule_wins_over_two_labels() -> None:
    reasons = {row["id"]: explain(row["payload"], LABELLED_ON).get("reason") for row in ROWS}
    assert {name: reasons[name] for name in THE_RULE_WINS} == THE_RULE_WINS


def test_only_two_valid_labels_have_run_out_since() -> None:
    """PayNow codes until 2023-08-01 and 2026-03-04: true when they were labelled, refused by the clock now."""
    today = date(2026, 11, 29)
    over = {row["id"] for row in VALID if explain(row["payload"], today).get("reason") == "expired"}
    assert over == {"qr-0229", "qr-0230"}


def test_deadlines_of_other_schemes_are_told_and_not_judged() -> None:
    payloads = {row["id"]: row["payload"] for row in VALID}
    assert said(payloads["qr-0284"])["expired"]
    facts = said(payloads["qr-0058"])
    assert (facts["expiry"], facts["expired"]) == ("2026-03-19T04:32:55+00:00", False)  # as of LABELLED_ON


def test_lengths_in_bytes_are_read_only_where_characters_fail_and_marked() -> None:
    marked = {row["id"] for row in VALID if "byte-lengths" in (explain(row["payload"], LABELLED_ON).get("notes") or ())}
    assert marked == {"qr-0047"}


def test_all_labelled_reasons_were_met() -> None:
    assert REASONS.keys() <= {row["id"] for row in INVALID}
