"""A settled batch is read again, with what its members signed, from the call data of its transaction."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from contracts.chain.events import BatchSettled, Origin
from contracts.chain.settlement import Settlement
from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch, Endorsement, Position, SignedBatch
from contracts.terms.commitments import batch_hash

ADDRESS, AGENT, PEER = ("0x" + digit * 40 for digit in "9ab")


def signed(sequence: int) -> SignedBatch:
    positions = (Position(AGENT, 156, -(2**100)), Position(PEER, 156, 2**100))
    batch = Batch(AGENT, 7, sequence, b"\7" * 32, 3, (AGENT, PEER), positions, 2**40)
    attestation = Attestation(batch_hash(batch), b"\1" * 32, b"\2" * 32, 2**41)
    endorsement = Endorsement(bytes(range(64)) + b"\x1b", attestation, bytes(range(100, 164)) + b"\x1c")
    return SignedBatch(batch, (endorsement, endorsement))


def settlement(data: bytes) -> Settlement:
    chain: Any = SimpleNamespace(call_data=lambda transaction_hash: data)
    return Settlement(chain, ADDRESS)


def event(each: SignedBatch) -> BatchSettled:
    origin = Origin(ADDRESS, 1, bytes(32), bytes(32), 0)
    return BatchSettled(origin, each.batch.place, batch_hash(each.batch), each.batch.payments_root, 3)


def test_each_batch_of_a_call_is_found_by_its_event() -> None:
    batches = [signed(sequence) for sequence in (0, 1, 2)]
    data = Settlement.settle_call(batches)
    for each in batches:
        assert settlement(data).settled(event(each)) == each
    assert settlement(data).settled(event(signed(3))) is None


@pytest.mark.parametrize("spoil", [lambda data: b"\0\0\0\0" + data[4:], lambda data: data[:40], lambda data: b""])
def test_data_of_another_making_is_none_of_ours(spoil: Any) -> None:
    assert settlement(spoil(Settlement.settle_call([signed(0)]))).settled(event(signed(0))) is None
