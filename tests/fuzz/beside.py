"""One text read by both readers: ours must not crash, and must not read another amount than the slow one."""

from __future__ import annotations

from fractions import Fraction

from contracts.terms.errors import BadPaymentCode
from nodes.qr import CustomerCode, PaymentCode, read, write
from nodes.qr.explain import explain
from nodes.qr.reader import BYTE_LENGTHS
from tests.fuzz.slow_reader import emv_amount, upi_amount
from tests.qr_vectors import LABELLED_ON


def compare(text: str) -> str:
    """What became of it, "read" or the reason of its refusal. Anything but an AssertionError is a crash."""
    try:
        code = read(text, LABELLED_ON)
    except BadPaymentCode as refused:
        return str(refused.fields["code_reason"])
    assert explain(text, LABELLED_ON)["valid"]
    assert read(write(code), LABELLED_ON) == code
    if isinstance(code, CustomerCode):
        return "read"
    if code.link is None:
        numeric, amount = emv_amount(text, BYTE_LENGTHS in code.notes)
        assert code.currency is not None
        assert f"{code.currency.numeric:03d}" == numeric
        assert _value(code) == amount
    elif code.scheme.startswith("UPI"):
        assert _value(code) == upi_amount(text)
    else:
        assert code.amount is None
    return "read"


def _value(code: PaymentCode) -> Fraction | None:
    if code.amount is None or code.currency is None:
        return None
    return Fraction(code.amount, 10**code.currency.decimals)
