"""Settlement: what was settled, and settling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contracts.chain.abi import decode_call, decode_log, encode_call
from contracts.chain.client import Block, ChainClient, Receipt
from contracts.chain.events import BatchSettled
from contracts.chain.reverts import refusal
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Attestation
from contracts.terms.batch import MAX_BATCHES_PER_CALL, Batch, Endorsement, Place, Position, SignedBatch
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import ChainUnavailable, FeiqianError, Malformed
from contracts.terms.identifiers import Address, Hash
from contracts.terms.merkle import InclusionPath

NO_HASH = bytes(32)


class Settlement:
    """The Settlement contract at one address."""

    def __init__(self, client: ChainClient, address: Address) -> None:
        self._client = client
        self.address = address

    def next_sequence(self, debtor_agent: Address, lane: int, block: Block | None = None) -> int:
        """The sequence that the lane's next batch must carry, by default in the newest final block."""
        return int(self._read("next_sequence", debtor_agent, lane, block=block))

    def batch_hash(self, place: Place, block: Block | None = None) -> bytes | None:
        """The hash of the batch settled at a place (32 bytes), also before an upgrade; None if there is none."""
        stored = bytes(self._read("batch_hash", place.debtor_agent, place.lane, place.sequence, block=block))
        return None if stored == NO_HASH else stored

    def domain_separator(self) -> bytes:
        """The EIP-712 domain separator as the contract computes it."""
        return bytes(self._read("domain_separator"))

    def would_settle(self, batches: Sequence[SignedBatch], block: Block = "latest") -> FeiqianError | None:
        """Why the contract would refuse the batches in the state after a block, None when they would settle."""
        [reason] = self._client.read(
            "Settlement", self.address, "would_settle", [_signed_batch(each) for each in batches], block=block
        )
        return refusal(reason) if reason else None

    def verify(self, batch: Batch, leaf: Hash, path: InclusionPath, block: Block | None = None) -> bool:
        """Whether the batch was settled, here or before an upgrade, and `leaf` (a `payment_leaf`) stands in it."""
        proof = (path.index, path.siblings)
        return bool(self._read("verify", _batch(batch), leaf, proof, block=block))

    def simulate(self, batches: Sequence[SignedBatch]) -> None:
        """The very call that `settle` sends, on the newest state without a transaction. Raises the first refusal."""
        self._client.call(self.address, self.settle_call(batches), "latest")

    def settle(self, sender: TransactionSender, batches: Sequence[SignedBatch]) -> Receipt:
        """Settle up to 8 batches in one transaction, simulated first. Raises the first refusal."""
        self.simulate(batches)
        return sender.transact(self.address, self.settle_call(batches), gas_limit(batches))

    @staticmethod
    def settle_call(batches: Sequence[SignedBatch]) -> bytes:
        """The call data of `settle(batches)`."""
        assert 0 < len(batches) <= MAX_BATCHES_PER_CALL, "a call settles 1 to 8 batches"
        return encode_call("Settlement", "settle", [_signed_batch(each) for each in batches])

    def settled(self, event: BatchSettled) -> SignedBatch | None:
        """The batch that an event is about, with what its members signed, from its transaction's call data.

        None when the transaction called another contract, which called this one: the data is of that one's making.
        """
        try:
            [batches] = decode_call("Settlement", "settle", self._client.call_data(event.origin.transaction_hash))
        except Malformed:
            return None
        carried = (_read_signed_batch(*each) for each in batches)
        return next((each for each in carried if batch_hash(each.batch) == event.batch_hash), None)

    def _read(self, function: str, *arguments: object, block: Block | None = None) -> bytes | int:
        result: bytes | int = self._client.read("Settlement", self.address, function, *arguments, block=block)[0]
        return result


def settling_contract(client: ChainClient, transaction_hash: bytes, name: bytes) -> Address:
    """The Settlement that settled the batch `name` in a transaction, as its log says. Raises ChainUnavailable."""
    receipt = client.receipt(transaction_hash)
    for log in receipt.logs if receipt else ():
        decoded = decode_log("Settlement", log)
        if decoded and decoded[0] == "BatchSettled" and decoded[1]["batchHash"] == name:
            return log.address
    raise ChainUnavailable(f"the node has no transaction 0x{transaction_hash.hex()} that settled the batch")


def gas_limit(batches: Sequence[SignedBatch]) -> int:
    """Gas that suffices for a call, from measured costs and a margin: an estimate would run the call many times."""
    members = sum(len(each.batch.members) for each in batches)
    positions = sum(len(each.batch.positions) for each in batches)
    return 100_000 + 80_000 * len(batches) + 25_000 * members + 32_000 * positions


def _signed_batch(signed: SignedBatch) -> tuple[object, ...]:
    return _batch(signed.batch), [_endorsement(each) for each in signed.endorsements]


def _batch(batch: Batch) -> tuple[object, ...]:
    return (
        batch.debtor_agent,
        batch.lane,
        batch.sequence,
        batch.payments_root,
        batch.payment_count,
        batch.members,
        [(each.account, each.currency, each.delta) for each in batch.positions],
        batch.deadline,
    )


def _read_signed_batch(batch: tuple[Any, ...], endorsements: Sequence[Any]) -> SignedBatch:
    debtor_agent, lane, sequence, root, count, members, positions, deadline = batch
    read = Batch(
        debtor_agent,
        lane,
        sequence,
        root,
        count,
        tuple(members),
        tuple(Position(*each) for each in positions),
        deadline,
    )
    name = batch_hash(read)
    return SignedBatch(read, tuple(_read_endorsement(name, *each) for each in endorsements))


def _read_endorsement(
    name: bytes, settlement: Any, policy: bytes, head: bytes, until: int, compliance: Any
) -> Endorsement:
    return Endorsement(
        _read_signature(*settlement), Attestation(name, policy, head, until), _read_signature(*compliance)
    )


def _read_signature(r: bytes, s: bytes, v: int) -> bytes:
    return r + s + bytes([v])


def _endorsement(endorsement: Endorsement) -> tuple[object, ...]:
    attestation = endorsement.attestation
    return (
        _signature(endorsement.settlement_signature),
        attestation.policy_hash,
        attestation.log_head,
        attestation.valid_until,
        _signature(endorsement.attestation_signature),
    )


def _signature(signature: bytes) -> tuple[bytes, bytes, int]:
    return signature[:32], signature[32:64], signature[64]
