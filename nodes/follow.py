"""Step 7: what a final block says, applied to the book in the transaction that remembers the block."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from contracts.chain.events import (
    Admitted,
    BatchSettled,
    CodesChanged,
    EndpointChanged,
    Event,
    Issued,
    KeyRevoked,
    KeyRotated,
    Left,
    MessageKeyRevoked,
    MessageKeyRotated,
    Redeemed,
    Reinstated,
    RolesChanged,
    Suspended,
    Transferred,
)
from contracts.chain.follower import FinalBlock, FinalBlocks, next_final_blocks
from contracts.chain.office import replacements
from contracts.terms.identifiers import Address
from contracts.terms.money import currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event as PaymentEvent
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.accounts.service import CAPITAL, SETTLEMENT, own_account
from nodes.batches import repository as batches
from nodes.batches.form import drop_batch
from nodes.context import NodeContext
from nodes.metadata import final_blocks, successors
from nodes.payments import end
from nodes.payments import repository as payments
from nodes.payments.repository import Move
from nodes.recovery.notice import end_doubts, lost_batches, remember_lost
from nodes.recovery.repository import LostBatch
from serving.final_blocks import (
    RememberedBlock,
    known_settlements,
    last_final_block,
    remember_final_block,
    remember_settlements,
)

_REGISTRY = (
    Admitted,
    Suspended,
    Reinstated,
    Left,
    RolesChanged,
    KeyRotated,
    KeyRevoked,
    MessageKeyRotated,
    MessageKeyRevoked,
    EndpointChanged,
    CodesChanged,
)
_log = structlog.get_logger(__name__)


def follow(node: NodeContext) -> bool:
    """Read the next final blocks and act on them. False when there were none.

    Raises FinalityViolated when a final block changed, UnknownSuccessor when Settlement was replaced by a contract of
    another release: the node must halt.
    """
    after = node.seen.block or _last(node)
    blocks = next_final_blocks(node.chain, node.network.contracts, after, node.office.settlements)
    if blocks is None:
        return False
    if any(isinstance(event, _REGISTRY) for event in blocks.events):
        node.directory.refresh()
    lost = lost_batches(node, blocks)
    node.seen.block = node.database.write(lambda connection: _apply_once(connection, node, after, blocks, lost))
    _tell_admission(node, blocks)
    if node.seen.block != blocks.newest:
        return True
    if blocks.settlements != node.office.settlements:
        _log.warning("Settlement was replaced", incumbent=blocks.settlements[-1])
        node.office.observe(blocks.settlements)
    node.clock.observe(blocks.newest.timestamp)
    if node.database.restored and not node.signed.quiet:
        node.database.trust()
        _log.info("what was signed before the backup was restored is over: open again")
    return True


def _tell_admission(node: NodeContext, blocks: FinalBlocks) -> None:
    """Each process of a node hears how many payments settle, whichever acted on the block."""
    settled = [event for event in blocks.events if isinstance(event, BatchSettled)]
    if ours := [event.batch_hash for event in settled if event.place.debtor_agent == node.account]:
        with node.database.read() as connection:
            node.admission.observe(payments.settled_by_agent(connection, ours))


def _last(node: NodeContext) -> FinalBlock | None:
    with node.database.read() as connection:
        last = last_final_block(connection, final_blocks)
    return None if last is None else FinalBlock(*last)


def resume(node: NodeContext) -> None:
    """After a restart, judge and sign by the last block that was acted on until newer ones are read."""
    with node.database.read() as connection:
        last = last_final_block(connection, final_blocks)
        node.office.observe(known_settlements(connection, successors, node.office.settlements[0]))
        _log.info("Settlement in office", incumbent=node.office.incumbent)
    if last is not None:
        node.clock.observe(last.timestamp)


def _apply_once(
    connection: Connection,
    node: NodeContext,
    after: FinalBlock | None,
    blocks: FinalBlocks,
    lost: Sequence[LostBatch],
) -> FinalBlock:
    """Act on the blocks after `after`, unless another process of this node has; the block to go on from."""
    last = last_final_block(connection, final_blocks)
    if last is not None and (after is None or last.number > after.number):
        node.signed.bury(connection, blocks.newest.timestamp)  # it hears the chain's time
        return min(FinalBlock(*last), blocks.newest, key=lambda block: block.number)
    apply(connection, node, blocks, lost)
    return blocks.newest


def apply(connection: Connection, node: NodeContext, blocks: FinalBlocks, lost: Sequence[LostBatch]) -> None:
    """What final blocks bring, and that they were acted on, in the caller's transaction."""
    chain_time = blocks.newest.timestamp
    remember_lost(connection, lost)
    for event in blocks.events:
        if isinstance(event, BatchSettled):
            _settle(connection, node, event, chain_time)
        elif isinstance(event, Issued | Redeemed | Transferred):
            _book_ledger(connection, node, event, chain_time)
    for replaced in replacements(blocks.events):
        node.signed.retire(connection, replaced.old)
    remember_settlements(connection, successors, blocks.settlements)
    end_doubts(connection)
    _bury(connection, node, chain_time)
    _expire(connection, node, chain_time)
    _outdate(connection, node, blocks.settlements[-1])
    newest = blocks.newest
    remember_final_block(connection, final_blocks, RememberedBlock(newest.number, newest.block_hash, newest.timestamp))


def _settle(connection: Connection, node: NodeContext, event: BatchSettled, chain_time: int) -> None:
    uetrs = node.signed.settle(connection, event.place, event.batch_hash)
    if event.place.debtor_agent == node.account:
        origin = event.origin
        batches.settle(connection, event.batch_hash, origin.block_number, origin.transaction_hash)
    end.settle(connection, payments.find_all(connection, uetrs), chain_time)


def _book_ledger(connection: Connection, node: NodeContext, event: Event, chain_time: int) -> None:
    """The settlement bank issued to us, redeemed from us, or money moved between it and us."""
    assert isinstance(event, Issued | Redeemed | Transferred)
    unit, change = currency(event.currency), _change(node, event)
    if change:
        accounts.open_own_accounts(connection, unit, Party(node.settings.name, "organization", node.settings.country))
        key = f"ledger:{event.origin.block_number}:{event.origin.position}"
        lines = [(own_account(SETTLEMENT, unit), -change), (own_account(CAPITAL, unit), change)]
        accounts.post(connection, key, type(event).__name__.lower(), chain_time, lines)


def _change(node: NodeContext, event: Issued | Redeemed | Transferred) -> int:
    if isinstance(event, Transferred):
        received = event.amount if event.receiver == node.account else 0
        return received - (event.amount if event.sender == node.account else 0)
    if event.account != node.account:
        return 0
    return event.amount if isinstance(event, Issued) else -event.amount


def _bury(connection: Connection, node: NodeContext, chain_time: int) -> None:
    """Batches that can no longer settle: their payments may be batched anew while their own deadline lasts."""
    node.signed.bury(connection, chain_time)
    for formed in batches.in_state(connection, batches.SIGNED):
        if not node.signed.is_live(connection, formed.name):
            batches.bury(connection, formed.name)
    for formed in batches.in_state(connection, batches.FORMING):
        if formed.batch.deadline < chain_time:
            drop_batch(connection, formed.batch)
    committing = payments.in_state(connection, State.COMMITTING)
    dropped = committing - node.signed.live(connection, committing)
    why = {"detail": "its batch did not settle in time"}
    payments.move_all(connection, [Move(uetr, State.COMMITTING, PaymentEvent.DROP, why) for uetr in sorted(dropped)])


def _expire(connection: Connection, node: NodeContext, chain_time: int) -> None:
    overdue = payments.overdue(connection, chain_time)
    live = node.signed.live(connection, [payment.uetr for payment in overdue])
    end.expire(connection, [payment for payment in overdue if payment.uetr not in live])


def _outdate(connection: Connection, node: NodeContext, incumbent: Address) -> None:
    """Payments whose price and agreements were signed for a retired Settlement end now: no batch can carry them with
    evidence that holds, and none that carried them can settle any more."""
    outdated = payments.priced_for_others(connection, incumbent)
    live = node.signed.live(connection, [payment.uetr for payment in outdated])
    end.outdate(connection, [payment for payment in outdated if payment.uetr not in live])
