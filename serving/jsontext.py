"""JSON text in a database column."""

from __future__ import annotations

import json
from typing import Any


def dump(document: Any) -> str:
    """Compact JSON text."""
    return _compact.encode(document)


_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def load(text: str) -> Any:
    """What `dump` wrote."""
    return json.loads(text)
