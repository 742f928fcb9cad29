"""Following the chain: everything acts on final blocks only, and never on two different ones of one number."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.chain.client import ChainClient
from contracts.chain.events import Event
from contracts.chain.headers import Header
from contracts.chain.network import Contracts
from contracts.chain.office import Settlements, events_of_all
from contracts.terms.errors import FinalityViolated

MAX_BLOCKS = 500
"""So many blocks at most are read in one step; a service that was away for long catches up in several."""


@dataclass(frozen=True)
class FinalBlock:
    """A block that was final when it was read: number, hash (32 bytes), timestamp in seconds."""

    number: int
    block_hash: bytes
    timestamp: int


@dataclass(frozen=True)
class FinalBlocks:
    """What happened after the last final block that was read, up to and including `newest`; `settlements` are the
    Settlement contracts that were in office by then."""

    newest: FinalBlock
    events: tuple[Event, ...]
    settlements: Settlements


def next_final_blocks(
    client: ChainClient, contracts: Contracts, after: FinalBlock | None, settlements: Settlements
) -> FinalBlocks | None:
    """The next final blocks and their events, None when there are none yet. `after` is the last that was acted on,
    `settlements` those in office by then: the pinned one alone before the first block.

    Raises FinalityViolated when the chain has another block at `after` or has gone back behind it, UnknownSuccessor
    when Settlement was replaced by a contract of another release, ChainUnavailable when the node does not answer.
    """
    newest = client.final_header()
    if after is not None:
        if newest.number < after.number:
            raise FinalityViolated(f"final block {after.number} is gone; the chain ends at {newest.number}")
        if newest.number == after.number:
            _require_same(newest, after)
            return None
        _require_same(client.header_at(after.number), after)
    first = 0 if after is None else after.number + 1
    last = newest if newest.number < first + MAX_BLOCKS else client.header_at(first + MAX_BLOCKS - 1)
    events, known = events_of_all(client, contracts, first, last.number, settlements)
    return FinalBlocks(FinalBlock(last.number, last.block_hash, last.timestamp), events, known)


def _require_same(found: Header, remembered: FinalBlock) -> None:
    if found.block_hash != remembered.block_hash:
        raise FinalityViolated(
            f"final block {remembered.number} was {remembered.block_hash.hex()} and is now {found.block_hash.hex()}",
            block=remembered.number,
        )
