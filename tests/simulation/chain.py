"""The chain's engine: blocks of the contracts' model, which a reorganisation may replace until they are final.

A block holds the whole state after it. Transactions wait in a pool, in the order of each sender's nonces; what a
reorganisation undoes goes back there, or is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Any

import rlp

from contracts.chain.abi import decode_call, event_topic
from contracts.terms.attestation import Attestation as SignedAttestation
from contracts.terms.batch import Batch, Position
from contracts.terms.commitments import attestation_hash, batch_hash, domain_separator, keccak, typed_digest
from contracts.terms.errors import BadSignature, Malformed
from contracts.terms.identifiers import Address
from contracts.terms.signing import recover
from tests.contract.model.settlement import Attestation, Endorsement, Signed
from tests.contract.model.world import Call, Domain, Refused, Signature, World

LEAST_BLOCK_TIME = 1
"""Seconds by which each block is later than its parent (EVM)."""


@dataclass(frozen=True)
class Transaction:
    """A signed transaction as it was sent."""

    hash: bytes
    sender: Address
    nonce: int
    target: Address
    data: bytes


@dataclass(frozen=True)
class Entry:
    """An event log. Topics of 32 bytes."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    transaction: bytes


@dataclass(frozen=True)
class Block:
    """`world` is the state after it; `settled` the batches that it settled, `failed` the transactions that reverted."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    world: World
    nonces: dict[Address, int]
    entries: tuple[Entry, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    settled: tuple[Batch, ...] = ()
    failed: frozenset[bytes] = frozenset()


@dataclass
class Chain:
    """`final` is the number of the newest final block."""

    settlement: Address
    ledger: Address
    blocks: list[Block]
    luck: Random
    final: int = 0
    pool: list[Transaction] = field(default_factory=list)
    known: dict[bytes, Transaction] = field(default_factory=dict)
    heard: Callable[[Address, bytes], None] = lambda sender, data: None
    """Told who sent what."""

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    @property
    def newest_final(self) -> Block:
        return self.blocks[self.final]

    def nonce(self, sender: Address) -> int:
        """The next nonce, what waits included."""
        nonce = self.head.nonces.get(sender, 0)
        waiting = {each.nonce for each in self.pool if each.sender == sender}
        while nonce in waiting:
            nonce += 1
        return nonce

    def take(self, raw: bytes) -> str:
        """A transaction for the pool; why it is not taken, or an empty text."""
        transaction = _read(raw)
        if transaction.nonce < self.head.nonces.get(transaction.sender, 0):
            return "nonce too low"
        if any(each.hash == transaction.hash for each in self.pool):
            return "already known"
        same = [e for e in self.pool if (e.sender, e.nonce) == (transaction.sender, transaction.nonce)]
        if same:
            return "replacement transaction underpriced"
        self.pool.append(transaction)
        self.known[transaction.hash] = transaction
        self.heard(transaction.sender, transaction.data)
        return ""

    def mine(self, time: int) -> Block:
        """The next block, not before `time` (seconds)."""
        parent = self.head
        timestamp = max(parent.timestamp + LEAST_BLOCK_TIME, time)
        chosen = self._choose()
        salt = self.luck.randbytes(8)
        own = keccak(b"".join([parent.hash, timestamp.to_bytes(8, "big"), salt, *(each.hash for each in chosen)]))
        world = parent.world
        if chosen:
            world = world.copied()
        nonces, entries, settled, failed = parent.nonces, list[Entry](), list[Batch](), set[bytes]()
        for each in chosen:
            nonces = nonces | {each.sender: each.nonce + 1}
            world.now = timestamp
            try:
                after, batches = self._run(world, each)
            except Refused:
                failed.add(each.hash)
                continue
            world = after
            settled += batches
            entries += [self._settled(batch, each) for batch in batches]
        block = Block(
            parent.number + 1,
            own,
            parent.hash,
            timestamp,
            world,
            nonces,
            tuple(entries),
            tuple(chosen),
            tuple(settled),
            frozenset(failed),
        )
        self.blocks.append(block)
        return block

    def reorganise(self, depth: int, time: int, lose: float) -> list[Block]:
        """Replace the newest `depth` blocks by as many others; of their transactions a share is lost for good."""
        assert self.head.number - self.final >= depth, "final blocks stay"
        undone = self.blocks[-depth:]
        del self.blocks[-depth:]
        waiting = {each.hash for each in self.pool}
        for each in (each for block in undone for each in block.transactions):
            if each.hash not in waiting and self.luck.random() >= lose:
                self.pool.append(each)
        first = undone[0].timestamp
        for number in range(depth):
            self.mine(first + number if number + 1 < depth else max(first + number, time))
        return undone

    def finalise(self, number: int) -> list[Block]:
        """Make blocks up to `number` final; those that were not before."""
        new = self.blocks[self.final + 1 : number + 1]
        self.final = max(self.final, number)
        return new

    def simulate(self, data: bytes) -> None:
        """`settle` on the newest state. Raises Refused."""
        world = self.head.world.copied()
        world.now = self.head.timestamp
        world.run("", Call(self.settlement, "settle", (self._batches(data),)))

    def _choose(self) -> list[Transaction]:
        """What the next block carries: some of what waits, in the order of nonces."""
        chosen, nonces = list[Transaction](), dict(self.head.nonces)
        for each in sorted(self.pool, key=lambda each: (each.nonce, each.hash)):
            if each.nonce < nonces.get(each.sender, 0):
                self.pool.remove(each)
            elif each.nonce == nonces.get(each.sender, 0) and self.luck.random() < 0.85:
                nonces[each.sender] = each.nonce + 1
                chosen.append(each)
                self.pool.remove(each)
        return chosen

    def _run(self, world: World, transaction: Transaction) -> tuple[World, list[Batch]]:
        if transaction.target != self.settlement:
            raise Refused("no contract of this network is sent such a call here")
        signed = self._batches(transaction.data)
        before = world.contracts[self.settlement]
        new = [each.batch for each in signed if not before._is_settled(each.batch)]  # type: ignore[attr-defined]
        after, _ = world.attempt(transaction.sender, Call(self.settlement, "settle", (signed,)))
        return after, new

    def _batches(self, data: bytes) -> tuple[Signed, ...]:
        try:
            [batches] = decode_call("Settlement", "settle", data)
        except Malformed:
            raise Refused("") from None
        world = self.blocks[0].world
        return tuple(_signed(world.chain_id, self.settlement, *each) for each in batches)

    def _settled(self, batch: Batch, transaction: Transaction) -> Entry:
        topics = (event_topic("Settlement", "BatchSettled"), _word(batch.debtor_agent), _word(batch.lane))
        data = batch_hash(batch) + batch.payments_root + _word(batch.payment_count)
        return Entry(self.settlement, (*topics, _word(batch.sequence)), data, transaction.hash)


def issued(ledger: Address, account: Address, currency: int, amount: int, transaction: bytes) -> Entry:
    """The Ledger's log of an issue."""
    topics = (event_topic("Ledger", "Transfer"), bytes(32), _word(account), _word(currency))
    return Entry(ledger, topics, _word(account) + _word(amount), transaction)


def stored(entry: Entry, block: Block, position: int) -> dict[str, Any]:
    """A log as JSON-RPC gives it."""
    return {
        "address": entry.address,
        "topics": ["0x" + each.hex() for each in entry.topics],
        "data": "0x" + entry.data.hex(),
        "blockNumber": hex(block.number),
        "blockHash": "0x" + block.hash.hex(),
        "transactionHash": "0x" + entry.transaction.hex(),
        "logIndex": hex(position),
    }


def with_entries(block: Block, entries: Sequence[Entry]) -> Block:
    return replace(block, entries=tuple(entries))


@lru_cache(4096)
def _read(raw: bytes) -> Transaction:
    """EIP-1559: 0x02 || rlp([chain id, nonce, priority fee, fee, gas, to, value, data, access list, y, r, s])."""
    fields = rlp.decode(raw[1:])
    y, r, s = fields[9:]
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([27 + int.from_bytes(y, "big")])
    sender = recover(keccak(raw[:1] + rlp.encode(fields[:9])), signature)
    return Transaction(keccak(raw), sender, int.from_bytes(fields[1], "big"), "0x" + fields[5].hex(), fields[7])


def _signed(chain_id: int, settlement: Address, batch: tuple[Any, ...], endorsements: Sequence[Any]) -> Signed:
    agent, lane, sequence, root, count, members, positions, deadline = batch
    read = Batch(
        agent, lane, sequence, root, count, tuple(members), tuple(Position(*each) for each in positions), deadline
    )
    endorsed = tuple(_endorsement(chain_id, settlement, read, *each) for each in endorsements)
    return Signed(read, endorsed)


def _endorsement(
    chain_id: int, settlement: Address, batch: Batch, settles: Any, policy: bytes, head: bytes, until: int, attests: Any
) -> Endorsement:
    """Signatures as the model has them: whoever the real one recovers to signed just this."""
    domain, separator, name = Domain(chain_id, settlement), domain_separator(chain_id, settlement), batch_hash(batch)
    attestation = attestation_hash(SignedAttestation(name, policy, head, until))
    content = Attestation(batch, policy, head, until)
    return Endorsement(
        Signature(_signer(typed_digest(separator, name), *settles), domain, batch),
        policy,
        head,
        until,
        Signature(_signer(typed_digest(separator, attestation), *attests), domain, content),
    )


@lru_cache(4096)
def _signer(digest: bytes, r: bytes, s: bytes, v: int) -> Address:
    try:
        return recover(digest, r + s + bytes([v]))
    except BadSignature:
        return ""


def _word(value: int | str) -> bytes:
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")
