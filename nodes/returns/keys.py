"""How a return names its payee: not by a code, but by the payment that it returns."""

from __future__ import annotations


def payee_key(original_uetr: str) -> str:
    """The lookup key of the customer who paid the original."""
    return f"UETR:{original_uetr}"
