"""The one way this package says no."""

from __future__ import annotations

from contracts.terms.errors import BadPaymentCode


def refusal(code_reason: str, detail: str) -> BadPaymentCode:
    """A BadPaymentCode whose field `code_reason` is stable for machines; `detail` is for people."""
    return BadPaymentCode(detail, code_reason=code_reason)
