"""What a payment code says, once it has been read: whom to pay, how much, and under which reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.terms.money import Currency, MinorUnits


@dataclass(frozen=True)
class MerchantAccount:
    """One way to pay the merchant. `guid` is upper-case and empty for ids 02-25, which belong to card networks.

    `institution` is who answers for the account, as the scheme numbers its members; empty where the code does not say,
    as for a proxy such as a telephone number.
    """

    scheme: str
    guid: str
    account: str
    institution: str = ""

    @property
    def lookup_key(self) -> str:
        """What the registry is asked for by longest prefix: "SG.PAYNOW:201403121W", "UNIONPAY:7029...",
        "A000000727:970436:0103193343". The institution stands first, be it a part of the account or not."""
        kind = self.guid or self.scheme
        if self.account.startswith(self.institution):
            return f"{kind}:{self.account}"
        return f"{kind}:{self.institution}:{self.account}"


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
class Link:
    """What is said only by codes that are addresses: `kind` in words, the `address` up to its parameters, what of it is
    a `token`, and an amount that no rule turns into minor units (TWQR)."""

    kind: str
    address: str
    token: str = ""
    raw_amount: str = ""
    note: str = ""


@dataclass(frozen=True)
class LocalName:
    """The merchant in another language (EMVCo MPM 64); `language` is ISO 639."""

    language: str
    name: str
    city: str = ""


@dataclass(frozen=True)
class PaymentCode:
    """A merchant's code that passed every check.

    `scheme` is the name of one description in `schemes.toml`: SGQR when several schemes stand on one Singapore label,
    EMV when there is none that we know. `amount` is in minor units of `currency`, None when the payer names it;
    `currency` is None where only the scheme itself can say (Alipay+). `expires` is the last valid second;
    `refuses_expired` that the scheme binds every reader to it.

    `fields` are all top-level objects but the CRC, or all parameters of a link, in their order, so that nothing unknown
    is lost. `notes` are stable words for what was odd but no reason to refuse: byte-lengths, emv-mandatory-missing,
    long-name, unclear-amount.
    """

    scheme: str
    country: str
    currency: Currency | None
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
    refuses_expired: bool = False
    notes: tuple[str, ...] = ()
    link: Link | None = None

    @property
    def schemes(self) -> tuple[str, ...]:
        """Every scheme that the code carries; the route picks."""
        return tuple(dict.fromkeys((self.scheme, *(account.scheme for account in self.accounts))))


@dataclass(frozen=True)
class CustomerCode:
    """A customer's code, shown for one payment: the merchant's side scans it and asks `schemes`, any of which may be
    the one that answers. `token` is what it hands on; `applications` are the contents of EMVCo's consumer-presented
    mode, tag and value (hex, or the objects within)."""

    scheme: str
    token: str
    schemes: tuple[str, ...]
    country: str = ""
    currency: Currency | None = None
    applications: tuple[Object, ...] = ()


Object = tuple[str, "str | tuple[Object, ...]"]
"""One BER-TLV object: the tag, and the value in hex or the objects that it holds, all in upper case."""
