"""Everything a chain node tells of a network, from the first block to one final block that stays fixed."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.chain.client import ChainClient, check_finality
from contracts.chain.deploy import check_deployment
from contracts.chain.events import Event
from contracts.chain.follower import FinalBlock, next_final_blocks
from contracts.chain.network import Network
from contracts.chain.office import Settlements
from contracts.terms.errors import ChainUnavailable


@dataclass(frozen=True)
class History:
    """All events up to and including the final block `until`, the state at which is read beside them, and the
    Settlement contracts in the order of their offices, of which the last was in office by then."""

    until: FinalBlock
    events: tuple[Event, ...]
    settlements: Settlements


def open_client(network: Network, url: str) -> ChainClient:
    """A client that takes only blocks which the network's validators sealed."""
    return ChainClient(url, finality="seals", validators=network.validators)


def read_history(client: ChainClient, network: Network) -> History:
    """Read all final blocks. Raises Malformed for another chain, ContractRefusal for other contracts than the pinned
    ones, UnknownSuccessor when Settlement was replaced by a contract of another release, ChainUnavailable when the node
    does not answer."""
    target = check_finality(client, network.chain_id).number
    check_deployment(client, network.contracts)
    events: list[Event] = []
    newest: FinalBlock | None = None
    settlements: Settlements = (network.contracts.settlement.address,)
    while newest is None or newest.number < target:
        more = next_final_blocks(client, network.contracts, newest, settlements)
        if more is None:
            raise ChainUnavailable(f"the node has no more blocks before block {target}, which it called final")
        newest, settlements = more.newest, more.settlements
        events.extend(more.events)
    return History(newest, tuple(events), settlements)
