"""batch_hash: what settled at a place."""

from __future__ import annotations

from contracts.terms.batch import Place
from contracts.terms.commitments import batch_hash


def test_hash_of_the_batch_at_its_place_only(stage):
    batch = stage.batch(lane=3)
    assert stage.settlement.batch_hash(batch.place) is None
    stage.settle(stage.endorse(batch))
    assert stage.settlement.batch_hash(batch.place) == batch_hash(batch)
    wallet, acquirer = stage.account("wallet"), stage.account("acquirer")
    for other in (Place(acquirer, 3, 0), Place(wallet, 2, 0), Place(wallet, 3, 1), Place(wallet, 255, 2**64 - 1)):
        assert stage.settlement.batch_hash(other) is None


def test_hash_stays_when_later_batches_settle(stage):
    first, second = stage.batch(), stage.batch(sequence=1)
    stage.settle(stage.endorse(first), stage.endorse(second))
    assert stage.settlement.batch_hash(first.place) == batch_hash(first)
    assert stage.settlement.batch_hash(second.place) == batch_hash(second)
