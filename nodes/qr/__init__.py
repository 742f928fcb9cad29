"""Payment codes: text in, facts out, and back. Pure; it asks nobody and keeps nothing.

read(text, today=None) -> PaymentCode        raises BadPaymentCode with a stable `code_reason`
write(code) -> str                           and one writer for each scheme: promptpay_bill, paynow, ...
"""

from nodes.qr.payment_code import LocalName, MerchantAccount, PaymentCode, Reference, Tip
from nodes.qr.reader import read
from nodes.qr.writer import paynow, promptpay_bill, promptpay_proxy, unionpay, write, write_tlv

__all__ = [
    "LocalName",
    "MerchantAccount",
    "PaymentCode",
    "Reference",
    "Tip",
    "paynow",
    "promptpay_bill",
    "promptpay_proxy",
    "read",
    "unionpay",
    "write",
    "write_tlv",
]
