"""What the chain proves about a block: its header and seals, a settled batch, whose keys are whose, and who was in
office."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from contracts.chain.client import ChainClient
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network
from contracts.chain.slots import LEDGER_SETTLEMENT, batch_hash_slot, key_slot
from contracts.terms.batch import Place
from contracts.terms.errors import ChainUnavailable, NotFound
from contracts.terms.evidence import AccountProof, OfficeProof, SlotProof
from contracts.terms.identifiers import Address


class SettledAt(NamedTuple):
    """Where a batch was settled: by which Settlement, at which place, in which block."""

    settlement: Address
    place: Place
    block_number: int


class BlockProof(NamedTuple):
    """The part of an evidence file that comes from the chain. `header` in RLP, seals of 65 bytes."""

    header: bytes
    seals: tuple[bytes, ...]
    settlement_proof: AccountProof
    participants_proof: AccountProof
    office: OfficeProof | None


def fetch_block_proof(client: ChainClient, network: Network, settled: SettledAt, keys: Iterable[Address]) -> BlockProof:
    """Ask for the proof that a batch is stored, and of each key's word, in the state of one final block.

    `keys` are all settlement and compliance keys that signed; the block should be the one that settled the batch,
    because the keys are judged at its time. Raises ChainUnavailable, also for an answer of another shape.
    """
    settlement, place, block_number = settled
    sealed = client.sealed_header(block_number)
    key_slots = [key_slot(key) for key in sorted(set(keys))]
    return BlockProof(
        sealed.encoded,
        sealed.seals,
        account_proof(client, settlement, [batch_hash_slot(place)], block_number),
        account_proof(client, network.contracts.participants.address, key_slots, block_number),
        _office_proof(client, network, settled),
    )


def _office_proof(client: ChainClient, network: Network, settled: SettledAt) -> OfficeProof | None:
    """That the pinned Ledger named a successor of the pinned Settlement: in the state of the very block that settled
    the batch or, where that block also retired the Settlement, of the block before."""
    if settled.settlement == network.contracts.settlement.address:
        return None
    ledger = Ledger(client, network.contracts.ledger.address)
    for number in (settled.block_number, settled.block_number - 1):
        if ledger.settlement(number) == settled.settlement:
            sealed = client.sealed_header(number)
            proof = account_proof(client, ledger.address, [LEDGER_SETTLEMENT], number)
            return OfficeProof(sealed.encoded, sealed.seals, proof)
    raise NotFound(f"{settled.settlement} was in office at the end of neither its batch's block nor the one before")


def account_proof(client: ChainClient, account: Address, slots: Sequence[int], block_number: int) -> AccountProof:
    answer = client.proof(account, slots, block_number)
    try:
        given = [(int(entry["key"], 16), _nodes(entry["proof"])) for entry in answer["storageProof"]]
        account_nodes = _nodes(answer["accountProof"])
    except (KeyError, TypeError, ValueError) as failure:
        raise ChainUnavailable("eth_getProof: the answer is not a proof as of EIP-1186") from failure
    if [slot for slot, _ in given] != list(slots):
        raise ChainUnavailable("eth_getProof: the node proved other slots than those asked for")
    return AccountProof(
        account, account_nodes, tuple(SlotProof(slot.to_bytes(32, "big"), nodes) for slot, nodes in given)
    )


def _nodes(answer: Any) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(node.removeprefix("0x")) for node in answer)
