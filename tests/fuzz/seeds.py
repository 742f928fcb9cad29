"""Codes to start from: the labelled ones where they are, and one of each scheme of our own."""

from __future__ import annotations

from nodes.qr import paynow, promptpay_bill
from nodes.qr.compose import Payee, Saying, compose, compose_link
from tests.qr_vectors import valid_rows

OWN = {
    "VIETQR": {"01.00": "970436", "01.01": "0103193343", "02": "QRIBFTTA"},
    "KHQR": {"00": "tea@bank"},
    "QRPH": {"01": "PAPHPHM1XXX", "03": "0910"},
    "PIX": {"01": "tea@example.com"},
    "DUITNOW": {"01": "501664", "02": "123"},
    "HKQR": {"02": "0000012"},
    "LAOQR": {"01": "27710418", "02": "002", "03": "abc"},
}


def seeds() -> list[str]:
    saying = Saying(amount=1200, merchant_name="Tea", merchant_city="Town", category="5812")
    own = [compose([Payee(scheme, objects)], saying) for scheme, objects in OWN.items()]
    link = compose_link("UPI", {"pa": "tea@okbank", "pn": "Tea", "am": "12.50"})
    till = [paynow("uen", "201403121W", 990), promptpay_bill("010753600031501", "R1", amount=1250), link]
    return [*own, *till, *(row["payload"] for row in valid_rows())]
