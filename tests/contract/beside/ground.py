"""The network on which every campaign starts: founded once, on model and contracts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.chain.abi import encode_creation
from contracts.chain.compile import compiled
from contracts.chain.deploy import created_address
from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address
from tests.contract.beside.evm import Evm
from tests.contract.beside.pair import Pair
from tests.contract.beside.wire import address
from tests.contract.model.council import Council
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import MEMBER_ROLES, NO_KEY, SETTLEMENT_BANK, Participants
from tests.contract.model.settlement import Settlement
from tests.contract.model.world import NOBODY, Call, World

CHAIN_ID = 7_780
START = 1_700_000_000
DELAY = 20
CNY, THB, SGD, USD = 156, 764, 702, 840
CURRENCIES = (CNY, THB, SGD)
GOVERNORS = ("governor_1", "governor_2", "governor_3")
DEBTOR_AGENT, CREDITOR_AGENT, FX_PROVIDER = 1, 2, 4
ROLES: Mapping[str, int] = {
    "wallet": DEBTOR_AGENT | CREDITOR_AGENT,
    "acquirer": DEBTOR_AGENT | CREDITOR_AGENT,
    "provider": FX_PROVIDER,
    "market": FX_PROVIDER | DEBTOR_AGENT,
    "bank_cny": SETTLEMENT_BANK,
    "bank_thb": SETTLEMENT_BANK | DEBTOR_AGENT | CREDITOR_AGENT,
}
BANKS = {CNY: "bank_cny", THB: "bank_thb", SGD: "bank_cny"}
NAMES = {CNY: ("CNY", "Yuan Renminbi"), THB: ("THB", "Baht"), SGD: ("SGD", "Singapore Dollar")}
FUNDS = 1_000_000
CONTRACTS = ("Council", "Participants", "Ledger", "Settlement")


@dataclass
class Ground:
    """A founded pair, to be forked for each example by going back to where its founding ended."""

    pair: Pair
    mark: Any
    world: World
    addresses: Mapping[str, Address]
    codes: Mapping[str, bytes]
    """Creation code of each contract: our sources', or that of a source with a planted bug."""

    def fork(self) -> Pair:
        self.pair.evm.go_back(self.mark)
        self.mark = self.pair.evm.mark()
        self.pair.evm.set_time(self.world.now)
        return Pair(self.pair.evm, self.world)


def found(changed: Mapping[str, bytes] | None = None) -> Ground:
    """Deploy and admit. `changed`: creation code to take instead of our sources'."""
    codes = {name: compiled(name).bytecode for name in CONTRACTS} | dict(changed or {})
    evm, world = Evm(CHAIN_ID, START), World(CHAIN_ID, START)
    deployer = address("deployer")
    planned = {name: created_address(deployer, nonce) for nonce, name in enumerate(CONTRACTS)}
    governors, guardian = tuple(address(each) for each in GOVERNORS), address("guardian")
    council, participants, ledger, settlement = planned.values()
    arguments: dict[str, tuple[Any, ...]] = {
        "Council": (governors, 2, DELAY, guardian),
        "Participants": (council, ledger),
        "Ledger": (council, participants, settlement),
        "Settlement": (council, participants, ledger, NOBODY),
    }
    for name in CONTRACTS:
        assert evm.create(deployer, creation(codes[name], name, *arguments[name])) == planned[name]
    Council(world, council, governors, 2, DELAY, guardian)
    Participants(world, participants, council, ledger)
    Ledger(world, ledger, council, participants, settlement)
    Settlement(world, settlement, council, participants, ledger, NOBODY)
    pair = Pair(evm, world)
    _populate(pair, planned)
    pair.compare_everything()
    return Ground(pair, evm.mark(), pair.world, planned, codes)


def creation(code: bytes, name: str, *arguments: object) -> bytes:
    """Creation code with its constructor's arguments behind it."""
    plain = compiled(name).bytecode
    return code + encode_creation(name, *arguments)[len(plain) :]


def _populate(pair: Pair, at: Mapping[str, Address]) -> None:
    def send(sender: Address, contract: str, function: str, *arguments: object) -> None:
        refusal = pair.send(sender, Call(at[contract], function, arguments))
        assert refusal == "", refusal

    council = at["Council"]
    for name, roles in ROLES.items():
        send(council, "Participants", "admit", *admission(name, roles))
    for currency, (code, name) in NAMES.items():
        send(council, "Ledger", "define_currency", currency, code, name, 2)
    for currency, bank in BANKS.items():
        send(council, "Participants", "set_settlement_bank", currency, address(bank))
        for name, roles in ROLES.items():
            if roles & MEMBER_ROLES:
                send(address(bank), "Ledger", "issue", address(name), currency, FUNDS)


def admission(name: str, roles: int) -> tuple[object, ...]:
    """The arguments of `admit` for a participant with keys named after it."""
    is_member = bool(roles & MEMBER_ROLES)
    return (
        address(name),
        keccak(name.encode()).hex()[:20].upper(),
        "FEIQCNB1XXX",
        "CN",
        roles,
        keccak(b"message key of " + name.encode()) if is_member else NO_KEY,
        f"http://{name}.test",
        (f"TEST:{name}",),
        address(f"{name}/settlement"),
        address(f"{name}/compliance") if is_member else NOBODY,
    )
