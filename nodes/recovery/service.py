"""Recovery: a node that was restored from a backup asks its peers for the payments of settled batches that it lost.

The chain says which batches those are and what they moved; the other agent of each payment knows the rest. What it
tells is believed as far as the chain proves it: every leaf stands under the batch's root, and the sum is to the minor
unit what the batch moved on this institution's account.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from contracts.terms.batch import Batch
from contracts.terms.cosigning import IncludedPayment, check_batch
from contracts.terms.errors import FeiqianError, PeerUnavailable, Unavailable
from contracts.terms.identifiers import Address
from contracts.terms.parties import Party, Role
from nodes.accounts.service import open_own_accounts
from nodes.batches import repository as batches
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.peers.client import NodeClient, SettledPayment
from nodes.recovery import repository
from nodes.recovery.rebuild import rebuild
from nodes.recovery.repository import LostBatch
from nodes.recovery.settle import settle_recovered
from serving.client import Peer

_log = structlog.get_logger(__name__)


def recover(node: NodeContext) -> bool:
    """Try to find the payments of each lost batch. False when none was found; it is tried again."""
    with node.database.read() as connection:
        missing = repository.lost(connection)
    return sum([_recover(node, each) for each in missing]) > 0


def breaks(connection: Connection, account: Address, currency: int) -> list[str]:
    """What the book of a currency lacks, in words, one for each lost batch that moved it."""
    return [
        f"batch 0x{each.name.hex()} settled {position.delta} and is not in this book: {each.why or 'being asked for'}"
        for each in repository.lost(connection)
        for position in each.signed.batch.positions
        if (position.account, position.currency) == (account, currency)
    ]


def require_certain(connection: Connection, uetrs: Sequence[str]) -> None:
    """Raises Unavailable while one of these payments may stand in a settled batch that is still being asked for."""
    for uetr in repository.doubtful(connection, uetrs):
        raise Unavailable(
            "the payment may be settled: this node was restored from a backup and is asking its peers; try again later",
            uetr=uetr,
        )


def _recover(node: NodeContext, lost: LostBatch) -> int:
    batch = lost.signed.batch
    try:
        found = [each for peer in _knowing(node, batch) for each in NodeClient(node.peers, peer).settled(lost.name)]
        included = [IncludedPayment(each.terms, each.path) for each in found]
        # What was agreed is history: the deadline is judged as at the time when the batch could settle.
        check_batch(batch, included, node.account, batch.deadline)
        node.database.write(lambda connection: _book(connection, node, lost, found))
    except FeiqianError as failure:
        if failure.detail != lost.why:
            _log.error("lost payments are not found yet", batch=lost.name.hex(), why=failure.detail)
            _explain(node, lost, failure.detail)
        return 0
    _log.warning("lost payments are booked", batch=lost.name.hex(), payments=len(found))
    return 1


def _explain(node: NodeContext, lost: LostBatch, why: str) -> None:
    node.database.write(lambda connection: repository.explain(connection, lost.name, why))


def _knowing(node: NodeContext, batch: Batch) -> list[Peer]:
    """Who knows our payments: their debtor agent, or, when that is us, every creditor agent. Raises PeerUnavailable."""
    if batch.debtor_agent != node.account:
        return [_peer(node, batch.debtor_agent)]
    others = [member for member in batch.members if member != node.account]
    return [_peer(node, member) for member in others if _is_agent(node, member)]


def _is_agent(node: NodeContext, account: Address) -> bool:
    participant = node.directory.participant(account)
    return participant is None or Role.CREDITOR_AGENT in participant.roles


def _peer(node: NodeContext, account: Address) -> Peer:
    participant = node.directory.participant(account)
    if participant is None:
        raise PeerUnavailable(f"{account} is not in the registry")
    return Peer(account, participant.endpoint)


def _book(connection: Connection, node: NodeContext, lost: LostBatch, found: Sequence[SettledPayment]) -> None:
    """One transaction: the payments, the batch, and that it is lost no more."""
    institution = Party(node.settings.name, "organization", node.settings.country)
    open_own_accounts(connection, node.currency, institution)
    for each in found:
        known = payments.find(connection, each.terms.uetr)
        settle_recovered(connection, rebuild(connection, node, each, known), known, lost.chain_time)
    if lost.signed.batch.debtor_agent == node.account:
        in_order = sorted(found, key=lambda each: each.path.index)
        batches.restore(connection, lost.signed, [each.terms.uetr for each in in_order])
        batches.settle(connection, lost.name, lost.block_number, lost.transaction_hash)
    else:
        repository.add_paths(connection, lost.name, [IncludedPayment(each.terms, each.path) for each in found])
    repository.found(connection, lost.name)
