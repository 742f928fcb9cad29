"""The chain itself: one head, one pool, one sealer, one lock.

    raw transaction -> admission -> pool -> tick(): block -> seal -> one fsynced transaction -> new head

Every public method may be called from any thread.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import rlp
from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI
from eth.db.atomic import AtomicDB
from lru import LRU

from devnet.chain import dev as dev_methods
from devnet.chain import methods
from devnet.chain.admission import check_affordable, decode_transaction
from devnet.chain.clock import MAXIMUM_LEAD, ChainClock, DevTiming, LiveTiming, Timing
from devnet.chain.errors import METHOD_NOT_FOUND, ChainError, GenesisError, RpcError, invalid_params, refused
from devnet.chain.evm import Built, Evm
from devnet.chain.genesis import Genesis, parse_genesis
from devnet.chain.pool import Pool
from devnet.chain.seal import Sealer
from devnet.chain.store import Store
from devnet.chain.views import BlockRecord, log_rows

log = logging.getLogger("feiqian.chain")

CACHED_BLOCKS = 512
DEFAULT_HEARTBEAT = 5.0


def open_chain(
    genesis: Mapping[str, Any],
    database: str | Path,
    sealer_key: bytes,
    dev: bool = False,
    *,
    heartbeat: float = DEFAULT_HEARTBEAT,
    wall: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> "Chain":
    """Open a chain, creating it in an empty database.

    `genesis` is the decoded genesis file, `database` a path or ":memory:", `sealer_key` 32 bytes of one of
    the genesis file's validators, `heartbeat` seconds between blocks when idle. ChainError (one line) when
    genesis, database and key do not belong together or another process owns the database.
    """
    checked = parse_genesis(genesis)
    try:
        sealer = Sealer(sealer_key, checked.chain_id)
    except ValueError as error:
        raise ChainError("sealer key: must be 32 bytes, a secp256k1 private key") from error
    if sealer.address not in checked.validators:
        raise GenesisError(f"genesis: 0x{sealer.address.hex()}, the sealer key's address, is not a validator")
    store = Store(database)
    try:
        evm = Evm(store, checked.chain_id)
        _settle_genesis(checked, store, evm)
        head = evm.head()
        if not dev:
            _check_time(head, wall())
        clock = ChainClock(wall, monotonic, start=head.timestamp - MAXIMUM_LEAD)
        timing = DevTiming() if dev else LiveTiming(clock, heartbeat)
        return Chain(checked, store, evm, sealer, timing, monotonic)
    except BaseException:
        store.close()
        raise


def _settle_genesis(genesis: Genesis, store: Store, evm: Evm) -> None:
    scratch = Evm(AtomicDB(), genesis.chain_id).write_genesis(genesis)
    known = store.block_hash(0)
    if known is None:
        with store.block():
            header = evm.write_genesis(genesis)
            store.add_block(0, header.hash, rlp.encode(header), [])
    elif known != scratch.hash:
        raise GenesisError(f"genesis: the database's chain began as 0x{known.hex()}, not 0x{scratch.hash.hex()}")


def _check_time(head: BlockHeaderAPI, now: float) -> None:
    lead = head.timestamp - now
    if lead <= MAXIMUM_LEAD:
        return
    if head.block_number == 0:
        raise GenesisError(f"genesis: timestamp is {lead:.0f} s in the future")
    log.warning("the last block is %.0f s ahead of the clock; chain time goes on from there", lead)


class Chain:
    """An open chain. `rpc` is its door; `tick` lets it seal what is due."""

    def __init__(
        self,
        genesis: Genesis,
        store: Store,
        evm: Evm,
        sealer: Sealer,
        timing: Timing,
        monotonic: Callable[[], float],
    ) -> None:
        self.chain_id = genesis.chain_id
        self.store = store
        self.evm = evm
        self.timing = timing
        self.pool = Pool(monotonic)
        self.head: BlockHeaderAPI = evm.head()
        self._sealer = sealer
        self._lock = threading.RLock()
        self._records: Any = LRU(CACHED_BLOCKS)
        self._headers: Any = LRU(CACHED_BLOCKS * 4)
        self._methods = dict(methods.METHODS)
        if isinstance(timing, DevTiming):
            self._methods.update(dev_methods.methods(timing))

    def close(self) -> None:
        """Give the database back; nothing is lost, everything was fsynced with its block."""
        with self._lock:
            self.store.close()

    # Requests

    def rpc(self, method: str, params: Sequence[Any] | None = None) -> Any:
        """Answer one JSON-RPC request and seal what it made due. RpcError when it cannot be answered."""
        with self._lock:
            result = self.answer(method, params)
            self.tick()
            return result

    def answer(self, method: str, params: Any) -> Any:
        """Answer one JSON-RPC request without sealing."""
        known = self._methods.get(method)
        if known is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {method} does not exist/is not available")
        arguments = [] if params is None else params
        if not isinstance(arguments, list | tuple):
            raise invalid_params("params: want a list")
        if not known.least <= len(arguments) <= known.most:
            raise invalid_params(f"params: {method} takes {known.least} to {known.most}, got {len(arguments)}")
        with self._lock:
            return known.run(self, *arguments)

    def submit(self, raw: bytes) -> bytes:
        """Let a signed transaction wait for a block; its hash. RpcError says why not."""
        transaction = decode_transaction(raw, self.chain_id)
        with self._lock:
            if transaction.hash in self.pool or self.evm.transaction_place(transaction.hash):
                raise refused("already known")
            header = self.pending_header()
            check_affordable(transaction, self.evm.state_at(header), header)
            self.pool.add(transaction)
        return bytes(transaction.hash)

    # Sealing

    def due(self) -> float:
        """Seconds until the next block is due; infinite when none will be by itself."""
        with self._lock:
            early = self.timing.wait(self.head.timestamp, len(self.pool) > 0)
            # Looking for runnable transactions costs more than looking at the clock.
            return early if early > 0 else self.timing.wait(self.head.timestamp, bool(self._runnable()))

    def tick(self) -> bool:
        """Seal one block if one is due; whether it did."""
        with self._lock:
            if self.due() > 0:
                return False
            self.seal(self._runnable())
            return True

    def seal_waiting(self) -> None:
        """Seal one block now with what may run (dev mode only)."""
        with self._lock:
            self.seal(self._runnable())

    def seal(self, candidates: Sequence[SignedTransactionAPI], balances: Sequence[tuple[bytes, int]] = ()) -> None:
        """Build, seal and store one block on the head."""
        with self._lock:
            header = self.pending_header()
            with self.store.block():
                built = self.evm.build(header, candidates, balances)
                hashes = tuple(bytes(one.hash) for one in built.block.transactions)
                record = BlockRecord(built.block, built.receipts, hashes)
                sealed = record.header
                seals = [self._sealer.seal(sealed.hash)]
                self.store.add_block(sealed.block_number, sealed.hash, rlp.encode(sealed), seals)
                self.store.add_logs(log_rows(record))
            self.head = sealed
            self.timing.sealed()
            self._records[sealed.block_number] = record
            self._take_from_pool(built)
            if hashes:
                log.info("block %d: %d transactions, %d gas", sealed.block_number, len(hashes), sealed.gas_used)

    def _take_from_pool(self, built: Built) -> None:
        for transaction in built.block.transactions:
            self.pool.remove(transaction)
        for transaction, reason in built.dropped:
            log.warning("dropped transaction 0x%s: %s", transaction.hash.hex(), reason)
            self.pool.remove(transaction)
        if len(self.pool):
            self.pool.forget_passed(self.nonce_of())

    def _runnable(self) -> list[SignedTransactionAPI]:
        return self.pool.ready(self.nonce_of()) if len(self.pool) else []

    def nonce_of(self) -> Callable[[bytes], int]:
        """The nonces of the head's state."""
        state = self.evm.state_at(self.head)
        return lambda sender: state.get_nonce(sender)  # type: ignore[arg-type]

    def rewind(self, number: int) -> None:
        """Go back to an earlier block and forget what waits (dev mode only)."""
        with self._lock:
            target = self.header(number)
            with self.store.block():
                self.evm.rewind(target)
                self.store.forget_blocks_after(number)
            self.head = target
            self._records.clear()
            self._headers.clear()
            self.pool.clear()

    # Looking

    def pending_header(self) -> BlockHeaderAPI:
        """The header that the next block would start from."""
        timestamp = self.timing.next_timestamp(self.head.timestamp)
        return self.evm.child_header(self.head, timestamp, self._sealer.address)

    def header(self, number: int) -> BlockHeaderAPI:
        """A block's header; RpcError if there is none."""
        if number == self.head.block_number:
            return self.head
        cached = self._headers.get(number)
        if cached is None:
            block_hash = self.store.block_hash(number)
            if block_hash is None:
                raise refused(f"block not found: {number:#x}")
            cached = self._headers[number] = self.evm.header(block_hash)
        return cached  # type: ignore[no-any-return]

    def record(self, number: int) -> BlockRecord:
        """A block with transactions and receipts; RpcError if there is none."""
        cached = self._records.get(number)
        if cached is None:
            block = self.evm.block(self.header(number).hash)
            hashes = tuple(bytes(one.hash) for one in block.transactions)
            cached = self._records[number] = BlockRecord(block, self.evm.receipts(block), hashes)
        return cached  # type: ignore[no-any-return]

    def state(self, header: BlockHeaderAPI) -> StateAPI:
        """The state at a header; changes made to it stay in memory and are lost."""
        return self.evm.state_at(header)
