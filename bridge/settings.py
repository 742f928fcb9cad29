"""An FX provider's bridge: its settings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import Field, field_validator

from contracts.terms.errors import FeiqianError
from contracts.terms.money import currency, parse_decimal
from serving.settings import ServiceSettings


class BridgeSettings(ServiceSettings):
    """What a bridge needs beside what every service needs."""

    settlement_key: Path = Field(description="keystore of the secp256k1 key that signs quotes, agreements, batches")
    compliance_endpoint: str = Field(description="URL of this provider's own compliance service")
    rate_date: date = Field(description="business date of the ECB reference rates, such as 2026-10-30")
    spread_bp: int = Field(default=30, ge=0, le=1000, description="basis points below the mid rate")
    quote_lifetime: int = Field(default=60, ge=5, le=600, description="seconds of chain time a quote is firm")
    counterparty_value_caps: dict[str, str] = Field(
        default_factory=dict,
        description='most that one counterparty may have reserved: currency code to decimals, THB = "5000000.00"',
    )
    counterparty_unsettled_cap: int = Field(
        default=10_000, ge=1, description="most payments that one counterparty may have reserved and not yet settled"
    )

    @field_validator("compliance_endpoint")
    @classmethod
    def _check_compliance_endpoint(cls, value: str) -> str:
        return cls._check_url(value)

    @field_validator("counterparty_value_caps")
    @classmethod
    def _check_caps(cls, value: dict[str, str]) -> dict[str, str]:
        try:
            _minor_units(value)
        except FeiqianError as failure:
            raise ValueError(failure.detail) from failure
        return value

    @property
    def value_caps(self) -> dict[int, int]:
        """The counterparty caps: ISO 4217 numeric code to minor units. A currency without one has the stock's bound."""
        return _minor_units(self.counterparty_value_caps)


def _minor_units(caps: dict[str, str]) -> dict[int, int]:
    units = {currency(code): decimals for code, decimals in caps.items()}
    return {unit.numeric: parse_decimal(decimals, unit) for unit, decimals in units.items()}
