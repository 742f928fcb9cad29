"""Upgrade: the council retires the Settlement in office and admits its successor, in one execution."""

from __future__ import annotations

import time
from dataclasses import dataclass

from contracts.chain.client import ChainClient
from contracts.chain.council import Call, Council
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.office import check_successor
from contracts.terms.errors import ChainUnavailable
from contracts.terms.identifiers import Address
from devnet.network import cast
from devnet.network.folder import NetworkFolder

_PATIENCE = 60.0
_LOOK_AGAIN = 0.1


@dataclass(frozen=True)
class Upgrade:
    """What was done: `new` took over from `old` in a final block."""

    old: Address
    new: Address
    block_number: int


def upgrade(folder: NetworkFolder) -> Upgrade:
    """Deploy this release's Settlement as the successor of the one in office, have two of three governors carry it, and
    wait until that is final. The network runs on meanwhile. Raises ChainUnavailable, UnknownSuccessor, or a refusal.

    Harmless to ask again after an interruption: a successor that no execution admitted is in nobody's way, and a
    proposal to replace another Settlement than the one in office can no longer run.
    """
    client, contracts = folder.chain(), folder.network.contracts
    ledger = Ledger(client, contracts.ledger.address)
    old = ledger.settlement("latest")
    deployed = folder.sender(client, cast.DEPLOYER).transact(None, settlement_creation(addresses_of(contracts), old))
    assert deployed.contract is not None, "the transaction creates a contract"
    new = deployed.contract
    _wait_final(client, deployed.block_number)
    check_successor(client, contracts, old, new)
    governors = [folder.sender(client, governor) for governor in cast.GOVERNORS[: cast.QUORUM]]
    call = Call(ledger.address, Ledger.replace_settlement_call(old, new))
    [executed] = Council(client, contracts.council.address).carry(governors, [call])
    _wait_final(client, executed.block_number)
    return Upgrade(old, new, executed.block_number)


def _wait_final(client: ChainClient, number: int) -> None:
    end = time.monotonic() + _PATIENCE
    while client.final_header().number < number:
        if time.monotonic() > end:
            raise ChainUnavailable(f"block {number} is not final yet")
        time.sleep(_LOOK_AGAIN)
