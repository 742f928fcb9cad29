"""Which Settlement contract is in office, and which were before it: the pinned one first, then its successors.

Retiring one and admitting its successor is one execution of the council, which the Ledger tells
(`SettlementReplaced`). Balances stay in the Ledger and sequences go on, so all of them together are one history.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from contracts.chain.client import ChainClient
from contracts.chain.compile import check_code
from contracts.chain.deploy import addresses_of, immutables
from contracts.chain.events import Event, SettlementReplaced, events_between
from contracts.chain.network import Contracts, Network
from contracts.chain.participants import NO_ADDRESS
from contracts.terms.commitments import domain_separator
from contracts.terms.errors import UnknownSuccessor
from contracts.terms.identifiers import Address

Settlements = tuple[Address, ...]
"""The Settlement contracts of a network in the order of their offices; the last is the one in office."""


class Office:
    """The Settlement contracts as of the newest final block that a service has acted on. Usable from several threads:
    who needs the incumbent twice for one signature asks once and keeps it."""

    def __init__(self, network: Network) -> None:
        self._chain_id = network.chain_id
        self._settlements: Settlements = (network.contracts.settlement.address,)

    def observe(self, settlements: Settlements) -> None:
        """A final block that names these was acted on."""
        self._settlements = settlements

    @property
    def settlements(self) -> Settlements:
        return self._settlements

    @property
    def incumbent(self) -> Address:
        """The Settlement in office."""
        return self._settlements[-1]

    def domain_of(self, settlement: Address) -> bytes:
        """The EIP-712 domain separator that is signed under for a Settlement."""
        return domain_separator(self._chain_id, settlement)


def events_of_all(
    client: ChainClient, contracts: Contracts, first: int, last: int, before: Settlements
) -> tuple[tuple[Event, ...], Settlements]:
    """The events of the blocks `first` to `last`, and the Settlements that stand known at their end.

    `before` are those known before block `first`. Raises UnknownSuccessor, ChainUnavailable.
    """
    read: Settlements = ()
    known = before
    events: tuple[Event, ...] = ()
    while read != known:  # a successor's first batches may stand in these very blocks
        read = known
        events = events_between(client, contracts, first, last, read)
        known = before + tuple(event.new for event in replacements(events))
    for old, new in pairwise(known[len(before) - 1 :]):
        check_successor(client, contracts, old, new)
    return events, known


def replacements(events: Sequence[Event]) -> list[SettlementReplaced]:
    """Those events by which a Settlement was retired; the one of the Ledger's own creation is none."""
    return [event for event in events if isinstance(event, SettlementReplaced) and event.old != NO_ADDRESS]


def check_successor(client: ChainClient, contracts: Contracts, old: Address, new: Address) -> None:
    """Refuse to go on with a contract that is not our own source's, made for this network and to follow `old`.

    Raises UnknownSuccessor, ChainUnavailable.
    """
    expected = {**immutables(addresses_of(contracts))["Settlement"], "PREDECESSOR": old}
    if why := check_code("Settlement", client.code(new), expected):
        raise UnknownSuccessor(f"{new} took over from {old}; {why}: install the release that knows it")
