"""Who takes part: three banks, each debtor and creditor agent, and one FX provider; and the chain they begin with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from contracts.chain.network import Contracts, Network, PinnedContract
from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address, lei_with_check_digits
from contracts.terms.money import Currency, currency
from contracts.terms.parties import Role
from contracts.terms.signing import LocalSigner
from nodes.merchants.codes import MerchantScheme
from serving.keys import MessageKey
from tests.contract.model.council import Council
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import Participants
from tests.contract.model.settlement import Settlement
from tests.contract.model.world import NOBODY, Call, World

CHAIN_ID = 7_788
FOUNDED = 1_790_000_000
"""Chain time of the first block, in seconds."""
FUNDS = 10**9
STOCK = 70_000
"""Minor units of each currency that the provider holds: two large payments are more than that."""


@dataclass(frozen=True)
class Institution:
    """A bank or the FX provider. Its keys follow from its name."""

    name: str
    country: str
    unit: Currency | None
    scheme: MerchantScheme | None = None
    proxy: str = ""

    @property
    def roles(self) -> Role:
        return Role.DEBTOR_AGENT | Role.CREDITOR_AGENT if self.unit else Role.FX_PROVIDER

    @property
    def account(self) -> Address:
        return signer(self.name).address

    @property
    def endpoint(self) -> str:
        """Its node's, or its bridge's."""
        return f"http://{self.name}.example"

    @property
    def compliance(self) -> str:
        return f"http://compliance.{self.name}.example"


BANGKOK = Institution("bangkok", "TH", currency("THB"), MerchantScheme("PROMPTPAY", "010555999012"))
SHANGHAI = Institution("shanghai", "CN", currency("CNY"), MerchantScheme("UNIONPAY", "62812345"))
SINGAPORE = Institution("singapore", "SG", currency("SGD"), MerchantScheme("PAYNOW", ""), "201403121W")
BANKS = (BANGKOK, SHANGHAI, SINGAPORE)
PROVIDER = Institution("provider", "SG", None)
INSTITUTIONS = (*BANKS, PROVIDER)


@cache
def signer(name: str) -> LocalSigner:
    return LocalSigner(keccak(b"simulation key of " + name.encode()))


@cache
def message_key(name: str) -> MessageKey:
    return MessageKey(keccak(b"simulation message key of " + name.encode()))


def _address(name: str) -> Address:
    return "0x" + keccak(b"simulation contract " + name.encode())[-20:].hex()


COUNCIL, PARTICIPANTS, LEDGER, SETTLEMENT = map(_address, ("council", "participants", "ledger", "settlement"))
KINDS = {COUNCIL: "Council", PARTICIPANTS: "Participants", LEDGER: "Ledger", SETTLEMENT: "Settlement"}


def network() -> Network:
    pins = (PinnedContract(each, bytes(32)) for each in (COUNCIL, PARTICIPANTS, LEDGER, SETTLEMENT))
    return Network("simulation", CHAIN_ID, FOUNDED, 60_000_000, (_address("validator"),), {}, Contracts(*pins))


def founded() -> World:
    """The contracts with everybody admitted and no money issued yet."""
    world = World(CHAIN_ID, FOUNDED)
    Council(world, COUNCIL, (_address("governor"),), 1, 0, _address("guardian"))
    Participants(world, PARTICIPANTS, COUNCIL, LEDGER)
    Ledger(world, LEDGER, COUNCIL, PARTICIPANTS, SETTLEMENT)
    Settlement(world, SETTLEMENT, COUNCIL, PARTICIPANTS, LEDGER, NOBODY)
    for each in INSTITUTIONS:
        _admit(world, each)
    bank = signer("settlement bank").address
    record = ("9" * 20, "FEIQSGS1XXX", "SG", int(Role.SETTLEMENT_BANK), bytes(32), "http://bank.example", ())
    world.run(COUNCIL, Call(PARTICIPANTS, "admit", (bank, *record, signer("settlement bank key").address, NOBODY)))
    for each in BANKS:
        assert each.unit
        told = (each.unit.numeric, each.unit.alpha, f"{each.unit.alpha} settlement balance", each.unit.decimals)
        world.run(COUNCIL, Call(LEDGER, "define_currency", told))
        world.run(COUNCIL, Call(PARTICIPANTS, "set_settlement_bank", (each.unit.numeric, bank)))
    return world


def issues() -> list[tuple[Address, int, int]]:
    """(account, currency, amount) that the settlement banks issue: each bank its own, the provider all."""
    units = [(each.account, each.unit.numeric) for each in BANKS if each.unit]
    return [(account, unit, FUNDS) for account, unit in units] + [(PROVIDER.account, unit, STOCK) for _, unit in units]


def issue(world: World) -> None:
    bank = signer("settlement bank").address
    for account, unit, amount in issues():
        world.run(bank, Call(LEDGER, "issue", (account, unit, amount)))


def _admit(world: World, who: Institution) -> None:
    codes = (who.scheme.registry_code(),) if who.scheme else ()
    lei = lei_with_check_digits(keccak(who.name.encode()).hex()[:18].upper())
    key = message_key(who.name).public
    record = (lei, "FEIQCNB1XXX", who.country, int(who.roles), key, who.endpoint, codes)
    keys = (signer(f"{who.name}/settlement").address, signer(f"{who.name}/compliance").address)
    world.run(COUNCIL, Call(PARTICIPANTS, "admit", (who.account, *record, *keys)))
