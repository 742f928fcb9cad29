"""An error of the tree as one item's answer, so that a bad item never spoils the others."""

from __future__ import annotations

from bridge.client import Refusal
from contracts.terms.errors import FeiqianError


def refusal_of(item: str, error: FeiqianError) -> Refusal:
    """The refusal of the item with this request id, UETR or (0x-hex) batch hash."""
    return Refusal(item, error.kind(), error.iso_reason, error.detail)
