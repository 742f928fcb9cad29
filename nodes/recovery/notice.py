"""Noticing that settled batches are missing: only a book that was restored from a backup lacks what it signed."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from contracts.chain.events import BatchSettled
from contracts.chain.follower import FinalBlocks
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.recovery import repository
from nodes.recovery.repository import LostBatch

_log = structlog.get_logger(__name__)


def lost_batches(node: NodeContext, blocks: FinalBlocks) -> list[LostBatch]:
    """The settled batches of these blocks that we are a member of and did not record. Raises ChainUnavailable.

    Whoever signs a batch has recorded it before, so a whole book lacks none. Who its members are is asked of the
    chain: the event does not say.
    """
    settled = [event for event in blocks.events if isinstance(event, BatchSettled)]
    with node.database.read() as connection:
        unknown = [event for event in settled if not node.signed.knows(connection, event.batch_hash)]
    found = []
    for event in unknown:
        signed = node.settlement.settled(event)
        if signed is None:
            _log.error("a settled batch cannot be read", batch=event.batch_hash.hex(), place=event.place)
        elif node.account in signed.batch.members:
            origin = event.origin
            found.append(LostBatch(signed, origin.block_number, origin.transaction_hash, blocks.newest.timestamp))
    return found


def remember_lost(connection: Connection, lost: Sequence[LostBatch]) -> None:
    """Remember what is missing, and doubt every open payment that may stand in it: none of them may end now."""
    for each in lost:
        _log.error("a settled batch is missing in this book", batch=each.name.hex(), block=each.block_number)
        repository.add_lost(connection, each)
        repository.doubt(connection, payments.open_of(connection, each.signed.batch.debtor_agent))


def end_doubts(connection: Connection) -> None:
    """Payments in doubt go on once no batch of their debtor agent is missing any more."""
    repository.trust(connection, {each.signed.batch.debtor_agent for each in repository.lost(connection)})
