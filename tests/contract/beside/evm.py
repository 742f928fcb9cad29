"""The contracts on py-evm without blocks: a message in, its output or its reason out.

A transaction's signature, its block and its seal are the chain's own matter and tested there; leaving them out makes
a step three times faster. Everything else of a transaction is done, so that a refused one leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from eth.constants import BLANK_ROOT_HASH, CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.execution_context import ExecutionContext

from contracts.chain.reverts import reason_in
from contracts.terms.identifiers import Address
from devnet.chain.evm import State
from devnet.chain.execute import Call
from tests.contract.model.world import Refused

_GAS = 30_000_000
_BLOCK_GAS = 60_000_000


class Evm:
    """py-evm's state of one chain, in memory, at a time that the caller sets."""

    def __init__(self, chain_id: int, now: int) -> None:
        self._chain_id = chain_id
        self._state = State(AtomicDB(), self._context(now), BLANK_ROOT_HASH)  # type: ignore[arg-type]
        self.gas_used = 0

    def set_time(self, now: int) -> None:
        """The time of the block in which all further messages run, in seconds."""
        self._state.execution_context = self._context(now)

    def mark(self) -> Hashable:
        """A point to go back to."""
        return self._state.snapshot()

    def go_back(self, mark: Any) -> None:
        self._state.revert(mark)

    def send(self, sender: Address, to: Address | None, data: bytes) -> bytes:
        """Run a transaction; its output. Raises Refused with its reason, and then nothing has changed."""
        computation = self._run(sender, to, data)
        if computation.is_error:
            assert isinstance(computation.error, Revert), repr(computation.error)
            raise Refused(reason_in(computation.output))
        return bytes(computation.output)

    def create(self, sender: Address, code: bytes) -> Address:
        """Deploy a contract; its address."""
        computation = self._run(sender, None, code)
        assert not computation.is_error, repr(computation.error)
        return "0x" + computation.msg.storage_address.hex()

    def look(self, to: Address, data: bytes) -> bytes:
        """What a view returns."""
        mark = self.mark()
        try:
            return self.send("0x" + "0" * 40, to, data)
        finally:
            self.go_back(mark)

    def storage(self, contract: Address, slot: int) -> int:
        """A storage word as an unsigned number."""
        return int(self._state.get_storage(bytes.fromhex(contract[2:]), slot))  # type: ignore[arg-type]

    def _run(self, sender: Address, to: Address | None, data: bytes) -> Any:
        target = bytes.fromhex(to[2:]) if to else bytes(CREATE_CONTRACT_ADDRESS)
        call = Call(bytes.fromhex(sender[2:]), target, _GAS, 0, data, 0, 0, ())
        executor: Any = self._state.get_transaction_executor()
        computation = executor.build_computation(executor.build_evm_message(call), call)
        # What a transaction's end does, without which the next one would find this one's locks.
        self._state.clear_transient_storage()
        return computation

    def _context(self, now: int) -> ExecutionContext:
        return ExecutionContext(
            coinbase=bytes(20),  # type: ignore[arg-type]
            timestamp=now,
            block_number=1,  # type: ignore[arg-type]
            difficulty=0,
            mix_hash=bytes(32),  # type: ignore[arg-type]
            gas_limit=_BLOCK_GAS,
            prev_hashes=(),
            chain_id=self._chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
