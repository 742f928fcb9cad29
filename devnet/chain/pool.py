"""Transactions waiting for a block: what is let in, what may run next, what is forgotten.

Kept in memory only: a transaction counts once its receipt exists, and a sender without one sends it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from eth.abc import SignedTransactionAPI

from devnet.chain.errors import refused

CAPACITY = 4096
PATIENCE_SECONDS = 600.0
PRICE_BUMP_PERCENT = 10


@dataclass(frozen=True)
class Waiting:
    """A pooled transaction; `since` is monotonic seconds, `arrival` a running number."""

    transaction: SignedTransactionAPI
    sender: bytes
    since: float
    arrival: int


class Pool:
    """Waiting transactions by sender and nonce."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._by_sender: dict[bytes, dict[int, Waiting]] = {}
        self._by_hash: dict[bytes, Waiting] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def __contains__(self, transaction_hash: bytes) -> bool:
        return transaction_hash in self._by_hash

    def get(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        waiting = self._by_hash.get(transaction_hash)
        return waiting.transaction if waiting else None

    def add(self, transaction: SignedTransactionAPI) -> None:
        """Let a checked transaction wait. RpcError: known, full, or too cheap a replacement."""
        self.forget_stale()
        if transaction.hash in self._by_hash:
            raise refused("already known")
        lane = self._by_sender.get(transaction.sender, {})
        replaced = lane.get(transaction.nonce)
        if replaced is not None:
            _check_replacement(replaced.transaction, transaction)
            self._remove(replaced)
        elif len(self) >= CAPACITY:
            raise refused("txpool is full")
        self._arrivals += 1
        waiting = Waiting(transaction, transaction.sender, self._monotonic(), self._arrivals)
        self._by_sender.setdefault(transaction.sender, {})[transaction.nonce] = waiting
        self._by_hash[transaction.hash] = waiting

    def remove(self, transaction: SignedTransactionAPI) -> None:
        """A transaction is in a block, or never will be."""
        waiting = self._by_hash.get(transaction.hash)
        if waiting is not None:
            self._remove(waiting)

    def clear(self) -> None:
        self._by_sender.clear()
        self._by_hash.clear()

    def forget_stale(self) -> None:
        """Drop what waited too long (a nonce gap that nobody filled)."""
        oldest = self._monotonic() - PATIENCE_SECONDS
        for waiting in [one for one in self._by_hash.values() if one.since < oldest]:
            self._remove(waiting)

    def forget_passed(self, nonce_of: Callable[[bytes], int]) -> None:
        """Drop what another transaction with the same nonce has overtaken."""
        for sender, lane in list(self._by_sender.items()):
            next_nonce = nonce_of(sender)
            for waiting in [one for nonce, one in lane.items() if nonce < next_nonce]:
                self._remove(waiting)

    def ready(self, nonce_of: Callable[[bytes], int]) -> list[SignedTransactionAPI]:
        """What may run now, each sender's nonces without a gap, first come first served."""
        runnable = [one for sender in self._by_sender for one in self._run_of(sender, nonce_of(sender))]
        # A sender's later nonce never goes first, even when it arrived first.
        latest: dict[bytes, int] = {}
        keyed = []
        for waiting in runnable:
            latest[waiting.sender] = max(latest.get(waiting.sender, 0), waiting.arrival)
            keyed.append((latest[waiting.sender], waiting.transaction.nonce, waiting.transaction))
        return [transaction for _, _, transaction in sorted(keyed, key=lambda key: key[:2])]

    def next_nonce(self, sender: bytes, nonce: int) -> int:
        """The nonce after the sender's runnable ones; `nonce` is the state's."""
        return nonce + sum(1 for _ in self._run_of(sender, nonce))

    def _run_of(self, sender: bytes, nonce: int) -> Iterator[Waiting]:
        lane = self._by_sender.get(sender, {})
        while nonce in lane:
            yield lane[nonce]
            nonce += 1

    def _remove(self, waiting: Waiting) -> None:
        del self._by_hash[waiting.transaction.hash]
        lane = self._by_sender[waiting.sender]
        del lane[waiting.transaction.nonce]
        if not lane:
            del self._by_sender[waiting.sender]


def _check_replacement(old: SignedTransactionAPI, new: SignedTransactionAPI) -> None:
    for before, after in (
        (old.max_fee_per_gas, new.max_fee_per_gas),
        (old.max_priority_fee_per_gas, new.max_priority_fee_per_gas),
    ):
        if after <= before or after * 100 < before * (100 + PRICE_BUMP_PERCENT):
            raise refused("replacement transaction underpriced")
