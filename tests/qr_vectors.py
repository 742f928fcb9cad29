"""The labelled payment codes, which lie beside the checkout and not in it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

VECTORS = Path("shared", "data", "qr", "qr_vectors.jsonl")
ABSENT = "the labelled payment codes are not beside this checkout (../shared/data/qr/qr_vectors.jsonl)"
LABELLED_ON = date(2023, 8, 1)
"""The vectors call a PayNow code that ran out on this day valid, and one that ran out in 2020 not."""

THE_RULE_WINS = {
    "qr-0060": "bad-amount",  # JPY has no decimals, the amount has three
    "qr-0137": "bad-tip",  # 55=01 asks the payer, yet 56 and 57 state a fee
}
"""Rows whose label and the rules disagree."""


def rows() -> list[dict[str, Any]]:
    """Every row, or none where the file is absent."""
    beside = (parent / VECTORS for parent in Path(__file__).resolve().parents)
    path = next((path for path in beside if path.is_file()), None)
    return [] if path is None else [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def valid_rows() -> list[dict[str, Any]]:
    return [row for row in rows() if row["valid"] and row["id"] not in THE_RULE_WINS]
