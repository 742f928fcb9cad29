"""An institution's node: its settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from contracts.terms.errors import UnknownCurrency
from contracts.terms.money import currency
from serving.settings import ServiceSettings


class NodeSettings(ServiceSettings):
    """What a node needs beside what every service needs."""

    settlement_key: Path = Field(description="keystore of the secp256k1 key that signs batches and agreements")
    compliance_endpoint: str = Field(description="URL of this institution's own compliance service")
    currency: str = Field(description="the currency that this institution's customers and merchants hold")
    country: str = Field(pattern="^[A-Z]{2}$")
    merchant_scheme: str = Field(description="PROMPTPAY, PAYNOW or UNIONPAY: the codes its merchants show")
    merchant_prefix: str = Field(default="", description="the prefix of its merchants' identifiers in that scheme")
    further_schemes: dict[str, str] = Field(
        default_factory=dict,
        description="other schemes that it answers for, PROMPTPAY or UNIONPAY, and its prefixes there",
    )
    issuer_prefix: str = Field(pattern="^[A-Z0-9]{8}$", description="the prefix of its customers' own codes (CPM)")
    payment_lifetime: int = Field(default=30, ge=5, le=300, description="seconds a payment may take")
    room: int = Field(
        default=100, ge=1, description="payments to one creditor agent that may be under way however few settle"
    )
    hold_lifetime: int = Field(default=3600, ge=10, description="seconds a payment may be held by compliance")
    fee_basis_points: int = Field(default=50, ge=0, le=1000, description="what the customer pays on top")

    @field_validator("currency")
    @classmethod
    def _check_currency(cls, value: str) -> str:
        try:
            return currency(value).alpha
        except UnknownCurrency as failure:
            raise ValueError(failure.detail) from failure

    @field_validator("merchant_scheme")
    @classmethod
    def _check_scheme(cls, value: str) -> str:
        if value not in ("PROMPTPAY", "PAYNOW", "UNIONPAY"):
            raise ValueError("must be PROMPTPAY, PAYNOW or UNIONPAY")
        return value

    @field_validator("further_schemes")
    @classmethod
    def _check_further(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if not value.keys() <= {"PROMPTPAY", "UNIONPAY"} - {info.data.get("merchant_scheme")}:
            raise ValueError("may name PROMPTPAY and UNIONPAY, and not the merchant_scheme again")
        return value
