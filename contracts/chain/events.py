"""What happened on chain: logs of our contracts as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.chain.abi import Log, decode_log
from contracts.chain.client import ChainClient
from contracts.chain.network import Contracts
from contracts.chain.participants import NO_ADDRESS
from contracts.terms.batch import Place
from contracts.terms.identifiers import Address
from contracts.terms.parties import Role


@dataclass(frozen=True)
class Origin:
    """Where an event stands: blocks and logs are ordered by (block_number, position)."""

    contract: Address
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    position: int


@dataclass(frozen=True)
class Event:
    """Anything a contract of the network told."""

    origin: Origin


@dataclass(frozen=True)
class BatchSettled(Event):
    place: Place
    batch_hash: bytes
    payments_root: bytes
    payment_count: int


@dataclass(frozen=True)
class Issued(Event):
    account: Address
    currency: int
    amount: int


@dataclass(frozen=True)
class Redeemed(Event):
    account: Address
    currency: int
    amount: int


@dataclass(frozen=True)
class Transferred(Event):
    """A transfer from or to the currency's settlement bank; `caller` is who sent it."""

    caller: Address
    sender: Address
    receiver: Address
    currency: int
    amount: int


@dataclass(frozen=True)
class CapChanged(Event):
    account: Address
    currency: int
    cap: int


@dataclass(frozen=True)
class CurrencyDefined(Event):
    currency: int
    code: str
    name: str
    decimals: int


@dataclass(frozen=True)
class SettlementReplaced(Event):
    old: Address
    new: Address


@dataclass(frozen=True)
class Admitted(Event):
    account: Address
    roles: Role
    settlement_key: Address
    compliance_key: Address


@dataclass(frozen=True)
class Suspended(Event):
    account: Address


@dataclass(frozen=True)
class Reinstated(Event):
    account: Address


@dataclass(frozen=True)
class Left(Event):
    """For ever; all the account's keys died with it."""

    account: Address


@dataclass(frozen=True)
class RolesChanged(Event):
    account: Address
    roles: Role


@dataclass(frozen=True)
class KeyRotated(Event):
    account: Address
    purpose: int
    old_key: Address
    new_key: Address
    overlap_until: int


@dataclass(frozen=True)
class KeyRevoked(Event):
    account: Address
    purpose: int
    key: Address


@dataclass(frozen=True)
class MessageKeyRotated(Event):
    account: Address
    old_key: bytes
    new_key: bytes
    overlap_until: int


@dataclass(frozen=True)
class MessageKeyRevoked(Event):
    account: Address
    key: bytes


@dataclass(frozen=True)
class EndpointChanged(Event):
    account: Address
    endpoint: str


@dataclass(frozen=True)
class CodesChanged(Event):
    account: Address
    codes: tuple[str, ...]


@dataclass(frozen=True)
class SettlementBankChanged(Event):
    currency: int
    account: Address


@dataclass(frozen=True)
class Proposed(Event):
    number: int
    proposer: Address


@dataclass(frozen=True)
class Approved(Event):
    number: int
    governor: Address
    approvals: int


@dataclass(frozen=True)
class Withdrawn(Event):
    """A governor took its approval of a proposal back."""

    number: int
    governor: Address
    approvals: int


@dataclass(frozen=True)
class Cancelled(Event):
    number: int


@dataclass(frozen=True)
class Executed(Event):
    number: int
    executor: Address


@dataclass(frozen=True)
class Paused(Event):
    guardian: Address


@dataclass(frozen=True)
class Unpaused(Event):
    pass


@dataclass(frozen=True)
class GovernorsChanged(Event):
    governors: tuple[Address, ...]
    quorum: int


@dataclass(frozen=True)
class GuardianChanged(Event):
    guardian: Address


def events_between(
    client: ChainClient, contracts: Contracts, first: int, last: int, settlements: Sequence[Address] = ()
) -> tuple[Event, ...]:
    """All events of the network's contracts in the blocks `first` to `last`, both included, in the chain's order.

    `settlements` names further Settlement contracts (predecessors or successors of the pinned one).
    """
    names = contract_names(contracts, settlements)
    logs = client.logs(tuple(names), first, last)
    return tuple(event for log in logs if (event := read_event(names, log)) is not None)


def contract_names(contracts: Contracts, settlements: Sequence[Address] = ()) -> Mapping[Address, str]:
    """Which contract stands at which address."""
    return dict.fromkeys(settlements, "Settlement") | {
        contracts.council.address: "Council",
        contracts.participants.address: "Participants",
        contracts.ledger.address: "Ledger",
        contracts.settlement.address: "Settlement",
    }


def read_event(names: Mapping[Address, str], log: Log) -> Event | None:
    """The event that a log tells, None for a contract or an event (ERC-6909's approvals) that is not ours to follow."""
    name = names.get(log.address)
    decoded = decode_log(name, log) if name else None
    if decoded is None or decoded[0] not in _READERS:
        return None
    origin = Origin(log.address, log.block_number, log.block_hash, log.transaction_hash, log.position)
    return _READERS[decoded[0]](origin, decoded[1])


def _batch_settled(origin: Origin, fields: dict[str, Any]) -> Event:
    place = Place(fields["debtorAgent"], fields["lane"], fields["sequence"])
    return BatchSettled(origin, place, fields["batchHash"], fields["paymentsRoot"], fields["paymentCount"])


def _transfer(origin: Origin, fields: dict[str, Any]) -> Event:
    currency, amount = fields["id"], fields["amount"]
    if fields["sender"] == NO_ADDRESS:
        return Issued(origin, fields["receiver"], currency, amount)
    if fields["receiver"] == NO_ADDRESS:
        return Redeemed(origin, fields["sender"], currency, amount)
    return Transferred(origin, fields["caller"], fields["sender"], fields["receiver"], currency, amount)


def _admitted(origin: Origin, fields: dict[str, Any]) -> Event:
    roles = Role(fields["roles"])
    return Admitted(origin, fields["account"], roles, fields["settlement_key"], fields["compliance_key"])


def _roles_changed(origin: Origin, fields: dict[str, Any]) -> Event:
    return RolesChanged(origin, fields["account"], Role(fields["roles"]))


def _codes_changed(origin: Origin, fields: dict[str, Any]) -> Event:
    return CodesChanged(origin, fields["account"], tuple(fields["codes"]))


def _governors_changed(origin: Origin, fields: dict[str, Any]) -> Event:
    return GovernorsChanged(origin, tuple(fields["governors"]), fields["quorum"])


def _proposed(origin: Origin, fields: dict[str, Any]) -> Event:
    return Proposed(origin, fields["id"], fields["proposer"])


def _approved(origin: Origin, fields: dict[str, Any]) -> Event:
    return Approved(origin, fields["id"], fields["governor"], fields["approvals"])


def _withdrawn(origin: Origin, fields: dict[str, Any]) -> Event:
    return Withdrawn(origin, fields["id"], fields["governor"], fields["approvals"])


def _cancelled(origin: Origin, fields: dict[str, Any]) -> Event:
    return Cancelled(origin, fields["id"])


def _executed(origin: Origin, fields: dict[str, Any]) -> Event:
    return Executed(origin, fields["id"], fields["executor"])


def _same_fields(kind: type[Event]) -> Callable[[Origin, dict[str, Any]], Event]:
    return lambda origin, fields: kind(origin, **fields)


_READERS: Mapping[str, Callable[[Origin, dict[str, Any]], Event]] = {
    "BatchSettled": _batch_settled,
    "Transfer": _transfer,
    "Admitted": _admitted,
    "RolesChanged": _roles_changed,
    "CodesChanged": _codes_changed,
    "GovernorsChanged": _governors_changed,
    "Proposed": _proposed,
    "Approved": _approved,
    "Withdrawn": _withdrawn,
    "Cancelled": _cancelled,
    "Executed": _executed,
} | {
    kind.__name__: _same_fields(kind)
    for kind in (
        CapChanged,
        CurrencyDefined,
        SettlementReplaced,
        Suspended,
        Reinstated,
        Left,
        KeyRotated,
        KeyRevoked,
        MessageKeyRotated,
        MessageKeyRevoked,
        EndpointChanged,
        SettlementBankChanged,
        Paused,
        Unpaused,
        GuardianChanged,
    )
}
