"""What the contracts' models share: a chain on which a call happens whole or not at all."""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.terms.identifiers import Address

NOBODY: Address = "0x" + "0" * 40
STRANGER: Address = "0x" + "f" * 40
"""Whom recovery names when somebody signed something else: an address that nobody has."""

Self = TypeVar("Self", bound="Contract")


class Refused(Exception):
    """A call reverted, with this reason ("" where a contract gives none)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Refused(reason)


@dataclass(frozen=True)
class Domain:
    """What a signature is bound to beside its content (EIP-712): a chain and a contract."""

    chain_id: int
    contract: Address


@dataclass(frozen=True)
class Signature:
    """`key` signed `content` under `domain`. A `form` other than "good" is malformed: no key's signature."""

    key: Address
    domain: Domain
    content: Hashable
    form: str = "good"


def signer(signature: Signature, domain: Domain, content: Hashable) -> Address:
    """Whose signature of this content it is: NOBODY's when malformed, a STRANGER's when it is of something else."""
    if signature.form != "good":
        return NOBODY
    return signature.key if (signature.domain, signature.content) == (domain, content) else STRANGER


class Contract:
    """A contract at an address. State is kept in flat dicts and lists of immutable values, so that copying is cheap."""

    def __init__(self, world: World, address: Address) -> None:
        self.world, self.address = world, address
        world.contracts[address] = self

    @property
    def domain(self) -> Domain:
        return Domain(self.world.chain_id, self.address)

    def copied_into(self: Self, world: World) -> Self:
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set):
                setattr(twin, name, value.copy())
        twin.world = world
        world.contracts[self.address] = twin
        return twin


@dataclass(frozen=True)
class Call:
    """A call of a contract's function, as a council's proposal carries it."""

    target: Address
    function: str
    arguments: tuple[Any, ...] = ()


class World:
    """A chain: the time of its next block in seconds, and contracts by address."""

    def __init__(self, chain_id: int, now: int) -> None:
        self.chain_id, self.now = chain_id, now
        self.contracts: dict[Address, Contract] = {}

    @property
    def kinds(self) -> dict[Address, str]:
        """The name of the contract at each address."""
        return {address: type(contract).__name__ for address, contract in self.contracts.items()}

    def copied(self) -> World:
        world = World(self.chain_id, self.now)
        for contract in self.contracts.values():
            contract.copied_into(world)
        return world

    def run(self, sender: Address, call: Call) -> Any:
        """Call a function as `sender`; what it returns. Raises Refused and may leave half of it done."""
        return getattr(self.contracts[call.target], call.function)(sender, *call.arguments)

    def read(self, call: Call) -> Any:
        """What a view returns."""
        return getattr(self.contracts[call.target], call.function)(*call.arguments)

    def attempt(self, sender: Address, call: Call) -> tuple[World, Any]:
        """The world after a transaction, and what the call returned. Raises Refused; this world stays as it was."""
        after = self.copied()
        return after, after.run(sender, call)
