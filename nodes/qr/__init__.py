"""Payment codes: text in, facts out, and back. Pure; it asks nobody and keeps nothing.

read(text, today=None) -> PaymentCode | CustomerCode    raises BadPaymentCode with a stable `code_reason`
read_to_pay(text, today=None) -> PaymentCode            what can be paid now
write(code) -> str                                      the inverse
compose(payees, saying) -> str                          a code of any scheme, or of several; compose_link for addresses
"""

from nodes.qr.compose import Payee, Saying, compose, compose_link
from nodes.qr.payment_code import CustomerCode, Link, LocalName, MerchantAccount, PaymentCode, Reference, Tip
from nodes.qr.read import read, read_to_pay
from nodes.qr.writer import paynow, promptpay_bill, promptpay_proxy, unionpay, write, write_tlv

__all__ = [
    "CustomerCode",
    "Link",
    "LocalName",
    "MerchantAccount",
    "Payee",
    "PaymentCode",
    "Reference",
    "Saying",
    "Tip",
    "compose",
    "compose_link",
    "paynow",
    "promptpay_bill",
    "promptpay_proxy",
    "read",
    "read_to_pay",
    "unionpay",
    "write",
    "write_tlv",
]
