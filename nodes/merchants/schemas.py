"""Merchants at the door."""

from __future__ import annotations

from pydantic import Field

from nodes.accounts.schemas import Identifier
from nodes.merchants.service import Merchant
from nodes.payments.record import PaymentRecord
from nodes.payments.schemas import NextCursor
from serving.bodies import Schema


class RegisterMerchantBody(Schema):
    id: str = Identifier
    owner: str = Field(min_length=1, max_length=70, description="the token subject that reads its payments")
    name: str = Field(min_length=1, max_length=25, description="as its code shows it (EMVCo MPM 59)")
    city: str = Field(min_length=1, max_length=15)
    category: str = Field(default="0000", pattern="^[0-9]{4}$", description="ISO 18245 merchant category code")
    proxy: str = Field(default="", max_length=43, description="PayNow: the merchant's UEN")


class MerchantBody(Schema):
    id: str
    name: str
    account: str
    lookup_key: str
    code: str = Field(description="the text of its static payment code")

    @classmethod
    def of(cls, merchant: Merchant, code: str) -> MerchantBody:
        return cls(
            id=merchant.id, name=merchant.name, account=merchant.account, lookup_key=merchant.lookup_key, code=code
        )


class CodeBody(Schema):
    code: str = Field(description="the text to print as a QR code")


class ReceivedBody(Schema):
    """A payment as the merchant sees it."""

    uetr: str
    status: str
    iso20022: str
    currency: str
    amount: str
    reference: str
    accepted_at: int = Field(description="milliseconds since 1970, by the institution's clock")

    @classmethod
    def of(cls, payment: PaymentRecord) -> ReceivedBody:
        return cls(
            uetr=payment.uetr,
            status=payment.state.value,
            iso20022=payment.state.iso20022,
            currency=payment.target.currency.alpha,
            amount=str(payment.target.minor),
            reference=payment.reference,
            accepted_at=payment.accepted_at,
        )


class ReceivedPageBody(Schema):
    """The newest first."""

    payments: list[ReceivedBody]
    next: str | None = NextCursor
