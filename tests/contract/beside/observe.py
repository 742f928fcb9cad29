"""What anybody can read from the contracts, as the model says it must read."""

from __future__ import annotations

from typing import Any, NamedTuple

from contracts.terms.identifiers import Address
from tests.contract.beside.wire import Kinds, calls_hash, hash_of
from tests.contract.model.council import Council
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import COMPLIANCE, MESSAGE, NO_KEY, SETTLEMENT, Participants
from tests.contract.model.settlement import Settlement
from tests.contract.model.world import NOBODY, World


class Look(NamedTuple):
    """A view of a contract with its arguments."""

    contract: str
    address: Address
    function: str
    arguments: tuple[Any, ...]


Readings = dict[Look, tuple[Any, ...]]


def readings(world: World) -> Readings:
    """Every view that something is known about, with the result it must have now."""
    found: Readings = {}
    kinds = world.kinds
    for contract in world.contracts.values():
        for (function, *arguments), *result in _READERS[type(contract)](contract, kinds):
            look = Look(type(contract).__name__, contract.address, function, tuple(arguments))
            found[look] = tuple(result)
    return found


def _council(council: Council, kinds: Kinds) -> Any:
    yield ("paused",), council.paused
    yield ("guardian",), council.guardian
    yield ("governors",), council.governors
    yield ("quorum",), council.quorum
    yield ("epoch",), council.epoch
    yield ("proposal_count",), len(council.proposals)
    for number, each in enumerate(council.proposals):
        named = calls_hash(kinds, each.calls)
        yield ("calls_hash", number), named
        yield (
            ("proposal", number),
            (each.proposer, named, each.epoch, len(each.approved), each.executable_at, each.state),
        )
        for governor in (*council.governors, *each.approved, *each.withdrew):
            yield ("has_approved", number, governor), governor in each.approved
            yield ("has_withdrawn", number, governor), governor in each.withdrew


def _participants(register: Participants, kinds: Kinds) -> Any:
    yield ("accounts",), tuple(register.records)
    for account, record in register.records.items():
        message_key = register.current.get((account, MESSAGE), NO_KEY)
        told = (record.lei, record.bic, record.country, record.roles, record.status, message_key)
        yield ("participant", account), (*told, record.endpoint, record.codes)
        yield ("status", account), record.status
        for purpose in (SETTLEMENT, COMPLIANCE):
            yield ("current_key", account, purpose), register.current.get((account, purpose), NOBODY)
        yield ("keys_of", account), tuple(_keys_of(register, account))
    for key, held in register.keys.items():
        word = int(held.account, 16) << 96 | held.purpose << 64 | held.valid_until
        if isinstance(key, bytes):
            yield ("message_keys", key), word
            yield ("message_key_holder", key), register.holder(key, MESSAGE)
            continue
        yield ("keys", key), word
        for purpose in (SETTLEMENT, COMPLIANCE):
            yield ("key_holder", key, purpose), register.holder(key, purpose)
    for currency, bank in register.banks.items():
        yield ("settlement_bank_of", currency), bank


def _keys_of(register: Participants, account: Address) -> Any:
    for purpose in (SETTLEMENT, COMPLIANCE, MESSAGE):
        for keys in (register.current, register.previous):
            key = keys.get((account, purpose))
            if key is not None:
                word = key if isinstance(key, bytes) else bytes.fromhex(key[2:]).rjust(32, b"\0")
                yield word, purpose, register.keys[key].valid_until


def _ledger(ledger: Ledger, kinds: Kinds) -> Any:
    yield ("settlement",), ledger.settlement
    yield ("currencies",), tuple(ledger.currencies)
    for currency, unit in ledger.currencies.items():
        yield ("symbol", currency), unit.code
        yield ("name", currency), unit.name
        yield ("decimals", currency), unit.decimals
    for account in ledger.participants.records:
        yield ("is_clear", account), ledger.is_clear(account)
    for (account, currency), net in list(ledger.net.items()):
        yield ("net_position", account, currency), net
        yield ("balanceOf", account, currency), ledger.balance(account, currency)
    for (account, currency), cap in ledger.caps.items():
        yield ("cap", account, currency), cap
    for currency, supply in ledger.supply.items():
        yield ("totalSupply", currency), supply
    for (owner, spender, currency), allowed in ledger.allowances.items():
        yield ("allowance", owner, spender, currency), allowed
        yield ("isOperator", owner, spender), (owner, spender) in ledger.operators
    for owner, spender in ledger.operators:
        yield ("isOperator", owner, spender), True


def _settlement(settlement: Settlement, kinds: Kinds) -> Any:
    for (agent, lane, sequence), batch in settlement.batches.items():
        yield ("batch_hash", agent, lane, sequence), hash_of(batch)
        yield ("next_sequence", agent, lane), settlement.next_sequence(agent, lane)


_READERS: dict[type, Any] = {
    Council: _council,
    Participants: _participants,
    Ledger: _ledger,
    Settlement: _settlement,
}
