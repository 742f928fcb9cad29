"""py-evm, set up: Cancun rules from the genesis block on, and the one way a block is built.

Order of a block (execution-specs, Cancun, `apply_body`): header from the parent, system writes (EIP-4788),
transactions, roots, post-processing, validation. py-evm's own `mine_all` leaves out the system writes.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import Chain as EvmChain
from eth.constants import ZERO_HASH32
from eth.db.backends.base import BaseAtomicDB
from eth.db.schema import SchemaV1
from eth.exceptions import TransactionNotFound
from eth.rlp.sedes import chain_gaps
from eth.vm.chain_context import ChainContext
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CONTRACT_CODE
from eth.vm.forks.cancun.state import CancunState

from devnet.chain.admission import check_affordable
from devnet.chain.errors import RpcError
from devnet.chain.genesis import Genesis

log = logging.getLogger("feiqian.chain")


class State(CancunState):
    """Cancun state; system contracts come with the genesis block, not with every look at the state."""

    def set_system_contracts(self) -> None:
        pass


class CancunRules(CancunVM):
    _state_class = State


@dataclass(frozen=True)
class Built:
    """A persisted block with its receipts, and the transactions that could not be part of it."""

    block: BlockAPI
    receipts: tuple[ReceiptAPI, ...]
    dropped: tuple[tuple[SignedTransactionAPI, str], ...]


class Evm:
    """py-evm over one store. Blocks are written into the store's open `block()`."""

    def __init__(self, store: BaseAtomicDB, chain_id: int) -> None:
        configured: Any = EvmChain.configure("FeiqianChain", vm_configuration=((0, CancunRules),), chain_id=chain_id)
        self._chain_class = configured
        self._store = store
        self._chain_id = chain_id
        self._chain = configured(store)

    def write_genesis(self, genesis: Genesis) -> BlockHeaderAPI:
        """Persist the genesis block: alloc, and the EIP-4788 contract that Cancun blocks write to."""
        alloc: dict[Any, Any] = {
            address: {"balance": balance, "nonce": 0, "code": b"", "storage": {}}
            for address, balance in genesis.alloc.items()
        }
        alloc[BEACON_ROOTS_ADDRESS] = {
            "balance": genesis.alloc.get(BEACON_ROOTS_ADDRESS, 0),
            "nonce": 1,
            "code": BEACON_ROOTS_CONTRACT_CODE,
            "storage": {},
        }
        parameters = {
            "difficulty": 0,
            "gas_limit": genesis.gas_limit,
            "timestamp": genesis.timestamp,
            "extra_data": genesis.extra_data,
            "base_fee_per_gas": 0,
            "parent_beacon_block_root": ZERO_HASH32,
        }
        self._chain_class.from_genesis(self._store, parameters, alloc)
        return self.head()

    def head(self) -> BlockHeaderAPI:
        header: BlockHeaderAPI = self._chain.get_canonical_head()
        return header

    def header(self, block_hash: bytes) -> BlockHeaderAPI:
        header: BlockHeaderAPI = self._chain.get_block_header_by_hash(block_hash)
        return header

    def block(self, block_hash: bytes) -> BlockAPI:
        """A block with its transactions."""
        block: BlockAPI = self._chain.get_block_by_hash(block_hash)
        return block

    def receipts(self, block: BlockAPI) -> tuple[ReceiptAPI, ...]:
        return tuple(block.get_receipts(self._chain.chaindb))

    def transaction_place(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Block number and index of a transaction in the chain."""
        try:
            number, index = self._chain.chaindb.get_transaction_index(transaction_hash)
        except TransactionNotFound:
            return None
        return int(number), index

    def rewind(self, target: BlockHeaderAPI) -> None:
        """Make an earlier block the head again, inside the store's `block()` (dev mode only).

        Later numbers keep their hash until a new block takes it over, as in a reorganisation.
        """
        head = self.head()
        while head.block_number > target.block_number:
            for transaction in self.block(head.hash).transactions:
                self._store.delete(SchemaV1.make_transaction_hash_to_block_lookup_key(transaction.hash))
            head = self.header(head.parent_hash)
        self._store[SchemaV1.make_canonical_head_hash_lookup_key()] = head.hash
        # py-evm remembers which headers it lacks; left as it was, it would look for those just forgotten.
        gaps = rlp.encode(((), head.block_number + 1), sedes=chain_gaps)
        self._store[SchemaV1.make_header_chain_gaps_lookup_key()] = gaps

    def state_at(self, header: BlockHeaderAPI) -> StateAPI:
        """The state after `header`'s block (or, for an unbuilt child, before it) in that header's context."""
        hashes = CancunRules.get_prev_hashes(header.parent_hash, self._chain.chaindb)
        context = ChainContext(self._chain_id)
        state: StateAPI = CancunRules.build_state(self._store, header, context, hashes)  # type: ignore[arg-type]
        return state

    def child_header(self, parent: BlockHeaderAPI, timestamp: int, coinbase: bytes) -> BlockHeaderAPI:
        """The header a block on `parent` starts from; it carries the parent's state root."""
        header: BlockHeaderAPI = CancunRules.create_header_from_parent(
            parent,
            timestamp=timestamp,
            gas_limit=parent.gas_limit,
            coinbase=coinbase,
            parent_beacon_block_root=ZERO_HASH32,
        )
        return header

    def build(
        self,
        header: BlockHeaderAPI,
        candidates: Sequence[SignedTransactionAPI],
        balances: Sequence[tuple[bytes, int]] = (),
    ) -> Built:
        """Build and persist the block of `header` from those candidates that are valid, in order.

        A candidate that is invalid is dropped with its reason; one that does not fit the half-full block, or
        follows one that did not, is left for a later one. `balances` are set first (dev mode only: such a
        block cannot be re-executed).
        """
        poisons: list[SignedTransactionAPI] = []
        while True:
            try:
                built = self._attempt(header, _without(candidates, poisons), balances)
            except _Poisoned as error:
                log.exception("transaction 0x%s broke the EVM and is dropped", error.transaction.hash.hex())
                poisons.append(error.transaction)
            else:
                return replace(built, dropped=(*built.dropped, *((tx, "EVM failure") for tx in poisons)))

    def _attempt(
        self,
        header: BlockHeaderAPI,
        candidates: Sequence[SignedTransactionAPI],
        balances: Sequence[tuple[bytes, int]],
    ) -> Built:
        vm = self._chain.get_vm(header)
        vm.block_preprocessing(vm.get_block())
        for address, balance in balances:
            vm.state.set_balance(address, balance)
        included, receipts, dropped = [], [], []
        filled = header
        for transaction in candidates:
            if filled.gas_used + transaction.gas > header.gas_limit // 2:
                continue
            if transaction.nonce > vm.state.get_nonce(transaction.sender):
                continue
            try:
                check_affordable(transaction, vm.state, header)
            except RpcError as error:
                dropped.append((transaction, error.message))
                continue
            try:
                filled, made, _ = vm.apply_all_transactions([transaction], filled)
            except Exception as error:
                raise _Poisoned(transaction) from error
            else:
                included.append(transaction)
                receipts.extend(made)
        block = vm.set_block_transactions_and_withdrawals(vm.get_block(), filled, included, receipts)
        mined = vm.mine_block(vm.block_postprocessing(block)).block
        self._chain.persist_block(mined)
        return Built(mined, tuple(receipts), tuple(dropped))


class _Poisoned(Exception):
    """A transaction made the EVM itself fail."""

    def __init__(self, transaction: SignedTransactionAPI) -> None:
        super().__init__(transaction.hash.hex())
        self.transaction = transaction


def _without(
    candidates: Sequence[SignedTransactionAPI], poisons: Sequence[SignedTransactionAPI]
) -> list[SignedTransactionAPI]:
    excluded = {transaction.hash for transaction in poisons}
    return [transaction for transaction in candidates if transaction.hash not in excluded]
