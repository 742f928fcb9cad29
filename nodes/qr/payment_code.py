"""What a payment code says, once it has been read: whom to pay, how much, and under which reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.terms.money import Currency, MinorUnits


@dataclass(frozen=True)
class MerchantAccount:
    """One way to pay the merchant. `guid` is upper-case and empty for ids 02-25, which belong to card networks."""

    scheme: str
    guid: str
    account: str

    @property
    def lookup_key(self) -> str:
        """What the registry is asked for by longest prefix: "SG.PAYNOW:201403121W", "UNIONPAY:7029..."."""
        return f"{self.guid or self.scheme}:{self.account}"


NO_REFERENCE = "0"
"""What stands for no reference in ref1 of a PromptPay bill, which must not be empty."""


@dataclass(frozen=True)
class Reference:
    """What the payment must carry back to the merchant.

    The first eight are EMVCo MPM 62.01 to 62.08, as written ("***" asks the payer's application to fill one in);
    `ref1` and `ref2` are the scheme's own (PromptPay 30.02 and 30.03, PayNow 26.05).
    """

    bill_number: str = ""
    mobile: str = ""
    store: str = ""
    loyalty: str = ""
    reference_label: str = ""
    customer: str = ""
    terminal: str = ""
    purpose: str = ""
    ref1: str = ""
    ref2: str = ""

    @property
    def of_payment(self) -> str:
        """What this one payment is for, empty when the code does not say: the bill number, else the scheme's ref1."""
        return self.bill_number or ("" if self.ref1 == NO_REFERENCE else self.ref1)


@dataclass(frozen=True)
class Tip:
    """EMVCo MPM 55-57. `kind` is "prompt", "fixed" (minor units in `fixed`) or "percent" (1/100 % in `hundredths`)."""

    kind: str
    fixed: MinorUnits = 0
    hundredths: int = 0


@dataclass(frozen=True)
class LocalName:
    """The merchant in another language (EMVCo MPM 64); `language` is ISO 639."""

    language: str
    name: str
    city: str = ""


@dataclass(frozen=True)
class PaymentCode:
    """A merchant-presented code that passed every check.

    `scheme` is PROMPTPAY, PAYNOW, UNIONPAY, SGQR (several schemes on one Singapore label) or EMV (none that we know).
    `amount` is in minor units of `currency`, None when the payer names it. `expires` is the last valid second.
    `fields` are all top-level objects but the CRC, in their order, so that nothing unknown is lost.
    """

    scheme: str
    country: str
    currency: Currency
    amount: MinorUnits | None
    merchant_name: str
    merchant_city: str
    category: str
    accounts: tuple[MerchantAccount, ...]
    reference: Reference
    single_use: bool
    expires: datetime | None
    amount_editable: bool
    tip: Tip | None
    postal_code: str
    local_name: LocalName | None
    fields: tuple[tuple[str, str], ...]
