"""Acting on final blocks: they alone settle, drop and expire reservations, and move the book."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import Connection

from bridge.context import BridgeContext
from bridge.positions import repository as positions
from bridge.positions.accounts import Account
from bridge.positions.book import batch_postings, ledger_change, ledger_postings, settled_postings
from bridge.reservations import repository as reservations
from bridge.reservations.states import Event as Move
from bridge.reservations.states import State
from bridge.tables import final_blocks, successors
from contracts.chain.events import BatchSettled, Event
from contracts.chain.follower import FinalBlock, FinalBlocks, next_final_blocks
from contracts.chain.office import replacements
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import FeiqianError, MustHalt
from serving.final_blocks import (
    RememberedBlock,
    known_settlements,
    last_final_block,
    remember_final_block,
    remember_settlements,
)
from serving.halt import halt
from serving.troubles import Troubles

_log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25


class Follower:
    """A thread that follows the chain for one bridge. It ends the process when a final block changed (promise 5), or
    when Settlement was replaced by a contract of another release."""

    def __init__(self, bridge: BridgeContext) -> None:
        self._bridge = bridge
        self._stop = threading.Event()
        self._troubles = Troubles()
        self._seen: FinalBlock | None = None
        """How far this process has read the chain. Each process of a bridge reads it, and one acts on each block."""
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Go on where the last life of this service ended."""
        office = self._bridge.office
        with self._bridge.database.read() as connection:
            office.observe(known_settlements(connection, successors, office.settlements[0]))
            _log.info("Settlement in office", incumbent=office.incumbent)
        if last := self._last():
            self._bridge.clock.observe(last.timestamp)
        self._thread.start()

    def stop(self) -> None:
        """End the thread once its current step is done."""
        self._stop.set()
        self._thread.join()

    def step(self) -> bool:
        """Act on the next final blocks, if there are any; whether there were."""
        chain, office, contracts = self._bridge.chain, self._bridge.office, self._bridge.network.contracts
        after = self._seen or self._last()
        blocks = next_final_blocks(chain, contracts, after, office.settlements)
        if blocks is None:
            return False
        registry = contracts.participants.address
        if any(event.origin.contract == registry for event in blocks.events):
            self._bridge.directory.refresh()
        lost = self._read_lost(blocks.events)
        restocked = self._read_stock(blocks, lost)
        act = partial(self._act_once, after=after, blocks=blocks, lost=lost, restocked=restocked)
        self._seen = self._bridge.database.write(act)
        if self._seen != blocks.newest:
            return True
        if blocks.settlements != office.settlements:
            _log.warning("Settlement was replaced", incumbent=blocks.settlements[-1])
            office.observe(blocks.settlements)
        self._trust_again()
        self._bridge.clock.observe(blocks.newest.timestamp)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                moved = self.step()
                self._troubles.worked("follow")
            except MustHalt as failure:
                halt(failure)
            except FeiqianError as failure:
                self._troubles.failed("follow", "the chain cannot be followed", why=failure.detail)
                moved = False
            except Exception:
                _log.exception("bug")
                moved = False
            if not moved:
                self._stop.wait(POLL_SECONDS)

    def _last(self) -> FinalBlock | None:
        with self._bridge.database.read() as connection:
            last = last_final_block(connection, final_blocks)
        return None if last is None else FinalBlock(last.number, last.block_hash, last.timestamp)

    def _trust_again(self) -> None:
        if self._bridge.database.restored and not self._bridge.signed.quiet:
            self._bridge.database.trust()
            _log.info("what was signed before the backup was restored is over: signing again")

    def _read_lost(self, events: Sequence[Event]) -> list[Batch]:
        """Settled batches that moved our balance and that we do not know: a backup older than them was restored."""
        found = list[Batch]()
        with self._bridge.database.read() as connection:
            settled = [event for event in events if isinstance(event, BatchSettled)]
            unknown = [event for event in settled if not self._bridge.signed.knows(connection, event.batch_hash)]
        for event in unknown:
            batch = self._bridge.settlement.settled(event)
            if batch is None:
                _log.error("the payments of a settled batch cannot be read", batch=event.batch_hash.hex())
            elif self._bridge.account in batch.batch.members:
                found.append(batch.batch)
        return found

    def _read_stock(self, blocks: FinalBlocks, lost: Sequence[Batch]) -> dict[int, int]:
        """The own balances at the newest of these blocks, in every currency that they may have changed."""
        account, ledger = self._bridge.account, self._bridge.ledger
        return {
            code: ledger.net_position(account, code, blocks.newest.number)
            for code in sorted(self._touched(blocks.events) | {p.currency for b in lost for p in b.positions})
        }

    def _touched(self, events: Sequence[Event]) -> set[int]:
        account, touched = self._bridge.account, set[int]()
        with self._bridge.database.read() as connection:
            for event in events:
                if change := ledger_change(event, account):
                    touched.add(change[0])
                if isinstance(event, BatchSettled):
                    uetrs = self._bridge.signed.payments_of(connection, event.batch_hash)
                    for each in reservations.conversions(connection, uetrs):
                        touched |= {each.source_currency, each.target_currency}
        return touched

    def _act_once(
        self,
        connection: Connection,
        after: FinalBlock | None,
        blocks: FinalBlocks,
        lost: Sequence[Batch],
        restocked: dict[int, int],
    ) -> FinalBlock:
        """Act on the blocks after `after`, unless another process of this bridge has; the block to go on from."""
        last = last_final_block(connection, final_blocks)
        if last is not None and (after is None or last.number > after.number):
            self._bridge.signed.bury(connection, blocks.newest.timestamp)  # it hears the chain's time
            return min(FinalBlock(*last), blocks.newest, key=lambda block: block.number)
        self._act(connection, blocks, lost, restocked)
        return blocks.newest

    def _act(
        self, connection: Connection, blocks: FinalBlocks, lost: Sequence[Batch], restocked: dict[int, int]
    ) -> None:
        """One transaction: reservations, book, stock and the memory of the block move together, so that the stock less
        what is reserved never counts one payment twice or not at all."""
        newest, account = blocks.newest, self._bridge.account
        for event in blocks.events:
            positions.book(connection, ledger_postings(event, account))
            if isinstance(event, BatchSettled):
                self._settle(connection, event, newest.timestamp)
        for replaced in replacements(blocks.events):
            self._bridge.signed.retire(connection, replaced.old)
        remember_settlements(connection, successors, blocks.settlements)
        for batch in lost:
            positions.book(connection, batch_postings(batch, account))
            _log.warning("booked as a whole: its payments were lost", batch=batch_hash(batch).hex())
        positions.restock(connection, restocked)
        self._expire(connection, newest.timestamp)
        remembered = RememberedBlock(newest.number, newest.block_hash, newest.timestamp)
        remember_final_block(connection, final_blocks, remembered)
        _report_breaks(connection, restocked, newest)

    def _settle(self, connection: Connection, event: BatchSettled, at: int) -> None:
        uetrs = self._bridge.signed.settle(connection, event.place, event.batch_hash)
        moved = reservations.move(connection, uetrs, State.SIGNED, Move.SETTLE, at)
        assert sorted(moved) == sorted(uetrs), "what is recorded as co-signed is signed, until its batch is over"
        positions.book(connection, settled_postings(reservations.conversions(connection, uetrs)))

    def _expire(self, connection: Connection, final_time: int) -> None:
        """What no batch holds any more is reserved only, and ends once its deadline is past in a final block."""
        self._bridge.signed.bury(connection, final_time)
        reservations.move(connection, reservations.left_over(connection), State.SIGNED, Move.DROP, final_time)
        late = reservations.overdue(connection, final_time)
        reservations.move(connection, late, State.RESERVED, Move.EXPIRE, final_time)


def _report_breaks(connection: Connection, on_chain: dict[int, int], block: FinalBlock) -> None:
    """Say loudly when the book and the chain differ; what is promised goes by the chain."""
    if not on_chain:
        return
    book = positions.balances(connection)
    for code, amount in on_chain.items():
        booked = book.get(code, {}).get(Account.STOCK, 0)
        if booked != amount:
            _log.error("reconciliation break", currency=code, book=booked, chain=amount, block=block.number)
