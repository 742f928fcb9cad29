"""The accounts of the provider's double-entry book, the same three in each currency."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """STOCK is what the Ledger holds for the provider; CAPITAL is what the settlement banks issued to it, negative;
    CONVERSION is what it gave for other currencies (its open FX position is the negative of it)."""

    STOCK = "stock"
    CAPITAL = "capital"
    CONVERSION = "conversion"
