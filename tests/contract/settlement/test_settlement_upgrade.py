"""An upgrade: the council retires a Settlement and admits its successor in one execution, and payments go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.chain.council import Call
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.network import PinnedContract
from contracts.terms.batch import LANES
from contracts.terms.commitments import batch_hash, keccak
from contracts.terms.merkle import MerkleTree

CNY, FUNDS = 156, 1_000_000
LEAVES = [keccak(b"first"), keccak(b"second"), keccak(b"third")]
TREE = MerkleTree(LEAVES)


def successor_of(stage):
    """The network with a successor to its Settlement, deployed and not yet in office."""
    creation = settlement_creation(addresses_of(stage.contracts), stage.settlement.address)
    address = stage.sender("relayer").transact(None, creation).contract
    return replace(stage, contracts=replace(stage.contracts, settlement=PinnedContract(address, b"")))


def replace_call(stage, renewed) -> Call:
    change = Ledger.replace_settlement_call(stage.settlement.address, renewed.settlement.address)
    return Call(stage.ledger.address, change)


def upgraded(stage):
    """The network after the council's one execution."""
    renewed = successor_of(stage)
    stage.govern(replace_call(stage, renewed))
    assert stage.ledger.settlement() == renewed.settlement.address
    return renewed


def sequences(stage, agent: str = "wallet") -> list[int]:
    return [stage.settlement.next_sequence(stage.account(agent), lane) for lane in range(LANES)]


def run_lanes(stage, counts: list[int]) -> list:
    """Settle so many batches on each lane, from where it stands."""
    done = []
    for lane, count in enumerate(counts):
        for _ in range(count):
            sequence = stage.settlement.next_sequence(stage.account("wallet"), lane)
            batch = stage.batch(lane=lane, sequence=sequence, payments_root=TREE.root, payment_count=3)
            stage.settle(stage.endorse(batch))
            done.append(batch)
    return done


def test_sequences_go_on_on_all_lanes(stage, refused):
    run_lanes(stage, [1, 0, 2, 1, 0, 3, 1, 1])
    renewed = upgraded(stage)
    assert sequences(renewed) == sequences(stage) == [1, 0, 2, 1, 0, 3, 1, 1]
    for lane, sequence in enumerate(sequences(renewed)):
        for wrong in {0, sequence + 1} - {sequence}:
            with refused("settlement: sequence"):
                renewed.settle(renewed.endorse(renewed.batch(lane=lane, sequence=wrong)))
    run_lanes(renewed, [1, 1, 1, 0, 0, 2, 1, 1])
    assert sequences(renewed) == [2, 1, 3, 1, 0, 5, 2, 2]
    assert sequences(stage) == [1, 0, 2, 1, 0, 3, 1, 1], "the retired one stands still"
    assert renewed.net("wallet", CNY) == FUNDS - 100 * 16


def test_retired_settlement_refuses_and_its_signatures_bind_it_alone(stage, refused):
    late = stage.endorse(stage.batch())
    stage.settlement.simulate([late])
    renewed = upgraded(stage)
    with refused("ledger: only settlement"):
        stage.settle(late)
    with refused("participants: settlement key"):
        renewed.settle(late)
    renewed.settle(renewed.endorse(late.batch))
    assert renewed.settlement.batch_hash(late.batch.place) == batch_hash(late.batch)


def test_successor_settles_nothing_before_its_time(stage, refused):
    renewed = successor_of(stage)
    with refused("ledger: only settlement"):
        renewed.settle(renewed.endorse(renewed.batch()))
    with refused("ledger: only settlement"):
        renewed.settle(renewed.endorse(renewed.batch(positions=())))
    # Batches that settle in between are continued all the same.
    stage.settle(stage.endorse(stage.batch()))
    stage.govern(replace_call(stage, renewed))
    renewed.settle(renewed.endorse(renewed.batch(sequence=1)))


def test_old_batches_are_answered_by_the_new_one(stage):
    [old] = run_lanes(stage, [1])
    renewed = upgraded(stage)
    [new] = run_lanes(renewed, [1])
    for batch in (old, new):
        assert renewed.settlement.batch_hash(batch.place) == batch_hash(batch)
        assert renewed.settlement.verify(batch, LEAVES[2], TREE.path(2))
        assert not renewed.settlement.verify(batch, LEAVES[1], TREE.path(2))
    assert renewed.settlement.batch_hash(stage.batch(sequence=2).place) is None
    assert stage.settlement.batch_hash(new.place) is None
    assert not stage.settlement.verify(new, LEAVES[2], TREE.path(2))


def test_batch_of_the_retired_one_is_skipped(stage, refused):
    """So a joint settlement goes on across an upgrade; another batch at its place is refused."""
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    renewed = upgraded(stage)
    after = renewed.books()
    assert (renewed.settle(signed).logs, renewed.books()) == ((), after)
    renewed.settle(signed, renewed.endorse(renewed.batch(sequence=1)))
    assert renewed.settle(signed).logs == ()
    with refused("settlement: sequence"):
        renewed.settle(renewed.endorse(renewed.batch(payment_count=9)))
    assert renewed.net("wallet", CNY) == FUNDS - 200


def test_third_after_the_second(stage, refused):
    """A lane used only under the first, one used under both, one only under the second, one never."""
    [first, again] = run_lanes(stage, [1, 1])
    second = upgraded(stage)
    [more, fresh] = run_lanes(second, [0, 1, 1])
    third = upgraded(second)
    assert sequences(third)[:4] == [1, 2, 1, 0]
    for batch in (first, again, more, fresh):
        assert third.settlement.batch_hash(batch.place) == batch_hash(batch)
        assert third.settlement.verify(batch, LEAVES[0], TREE.path(0))
    run_lanes(third, [1, 1, 1, 1])
    assert sequences(third)[:4] == [2, 3, 2, 1]
    for retired in (stage, second):
        with refused("ledger: only settlement"):
            retired.settle(retired.endorse(retired.batch(lane=7)))


def test_proposal_for_another_incumbent_refused(stage, refused):
    """Two upgrades are proposed; the second to be executed was meant for a Settlement no longer in office."""
    second, rival = successor_of(stage), successor_of(stage)
    stage.govern(replace_call(stage, second))
    with refused("ledger: settlement"):
        stage.govern(replace_call(stage, rival))
    assert stage.ledger.settlement() == second.settlement.address


def test_upgrade_is_the_councils_alone(stage, refused):
    call = replace_call(stage, successor_of(stage))
    for name in ("wallet", "bank_cny", "guardian", "governor_1", "deployer"):
        with refused("ledger: only the council"):
            stage.sender(name).transact(call.target, call.data)
    stage.govern(call)


@pytest.mark.parametrize("lane", [0, 7])
def test_would_settle_speaks_for_the_one_in_office(stage, lane):
    renewed = upgraded(stage)
    assert renewed.settlement.would_settle([renewed.endorse(renewed.batch(lane=lane))]) is None
    answer = stage.settlement.would_settle([stage.endorse(stage.batch(lane=lane))])
    assert (answer and answer.detail) == "ledger: only settlement"
