"""Following the chain: what was signed is settled or buried by final blocks, and they alone move the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from compliance import repository
from compliance.chaintime import ChainTime
from compliance.tables import successors
from contracts.chain.client import ChainClient, check_finality
from contracts.chain.events import BatchSettled
from contracts.chain.follower import FinalBlock, FinalBlocks, next_final_blocks
from contracts.chain.network import Network
from contracts.chain.office import Office, replacements
from contracts.terms.errors import FeiqianError, MustHalt
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.final_blocks import known_settlements, remember_settlements
from serving.halt import halt
from serving.troubles import Troubles

_log = structlog.get_logger(__name__)


class Follower:
    """Reads final blocks on a thread of its own until it is stopped. It ends the process when a final block changed
    (promise 5), or when the council replaced Settlement by a contract of another release."""

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        network: Network,
        record: SignedRecord,
        time: ChainTime,
        office: Office,
        interval: float,
    ) -> None:
        self._database, self._client, self._network = database, client, network
        self._record, self._time, self._office, self._interval = record, time, office, interval
        self._known = False
        self._seen: FinalBlock | None = None
        """How far this process has read the chain. Each process of the service reads it, and one acts on each block."""
        self._troubles = Troubles()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Go on where the last life of this service ended."""
        with self._database.read() as connection:
            self._office.observe(known_settlements(connection, successors, self._office.settlements[0]))
            _log.info("Settlement in office", incumbent=self._office.incumbent)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def catch_up(self) -> None:
        """Act on all final blocks there are; then, and not while it lags behind, move the clock.

        Raises ChainUnavailable, Malformed when the node serves another chain, FinalityViolated when a final block was
        replaced, and UnknownSuccessor when Settlement was, by a contract of another release.
        """
        if not self._known:
            newest = check_finality(self._client, self._network.chain_id)
            if self._database.restored:
                self._record.restored_at = newest.timestamp
                _log.warning("restored from a backup: nothing is attested for one batch lifetime")
            self._known = True
        last, office = self._seen or self._last(), self._office
        while blocks := next_final_blocks(self._client, self._network.contracts, last, office.settlements):
            self._seen = self._database.write(_acting_on(self._record, last, blocks))
            last = self._seen
            if last == blocks.newest and blocks.settlements != office.settlements:
                _log.warning("Settlement was replaced", incumbent=blocks.settlements[-1])
                office.observe(blocks.settlements)
            self._trust_again()
            if self._stopped.is_set():
                return
        if last is not None:
            self._time.clock.observe(last.timestamp)

    def _trust_again(self) -> None:
        if self._database.restored and not self._record.quiet:
            self._database.trust()
            _log.info("what was attested before the backup was restored is over: attesting again")

    def _last(self) -> FinalBlock | None:
        with self._database.read() as connection:
            return repository.last_final_block(connection)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.catch_up()
                self._troubles.worked("follow")
            except MustHalt as failure:
                halt(failure)
            except FeiqianError as failure:
                self._troubles.failed("follow", "the chain cannot be followed", why=failure.detail)
            except Exception as bug:  # a dead follower must be seen; without it nothing is attested
                _log.error("bug", where="follower", exc_info=bug)
            self._stopped.wait(self._interval)


def _acting_on(
    record: SignedRecord, after: FinalBlock | None, blocks: FinalBlocks
) -> Callable[[Connection], FinalBlock]:
    """Act on the blocks after `after`, unless another process of this service has; the block to go on from."""

    def act(connection: Connection) -> FinalBlock:
        last = repository.last_final_block(connection)
        if last is not None and (after is None or last.number > after.number):
            record.bury(connection, blocks.newest.timestamp)  # it hears the chain's time
            return min(last, blocks.newest, key=lambda block: block.number)
        for event in blocks.events:
            if isinstance(event, BatchSettled):
                record.settle(connection, event.place, event.batch_hash)
        for replaced in replacements(blocks.events):
            record.retire(connection, replaced.old)
        remember_settlements(connection, successors, blocks.settlements)
        record.bury(connection, blocks.newest.timestamp)
        repository.set_final_block(connection, blocks.newest)
        return blocks.newest

    return act
