"""Payment codes: text in, facts out, and back. Pure; it asks nobody and keeps nothing.

read(text, today=None) -> PaymentCode | CustomerCode    raises BadPaymentCode with a stable `code_reason`
read_to_pay(text, today=None) -> PaymentCode            what can be paid now
write(code) -> str                                      and one writer for each scheme: promptpay_bill, paynow, ...
"""

from nodes.qr.payment_code import CustomerCode, Link, LocalName, MerchantAccount, PaymentCode, Reference, Tip
from nodes.qr.read import read, read_to_pay
from nodes.qr.writer import paynow, promptpay_bill, promptpay_proxy, unionpay, write, write_tlv

__all__ = [
    "CustomerCode",
    "Link",
    "LocalName",
    "MerchantAccount",
    "PaymentCode",
    "Reference",
    "Tip",
    "paynow",
    "promptpay_bill",
    "promptpay_proxy",
    "read",
    "read_to_pay",
    "unionpay",
    "write",
    "write_tlv",
]
