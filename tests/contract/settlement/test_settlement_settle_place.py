"""settle: its guards of time and place. Each test changes one thing in a call that settles."""

from __future__ import annotations

import pytest

from contracts.chain.council import Call
from contracts.chain.settlement import gas_limit
from contracts.terms.errors import DeadlinePassed


def test_the_call_that_settles(stage):
    stage.settle(stage.endorse(stage.batch()))


def test_pause_stops_settlement_until_the_council_lifts_it(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.council.pause(stage.sender("guardian"))
    with refused("settlement: paused"):
        stage.settle(signed)
    stage.govern(Call(stage.council.address, stage.council.unpause_call()))
    stage.settle(signed)


@pytest.mark.parametrize("changes", [{"payment_count": 0}, {"members": ()}], ids=["no payments", "no members"])
def test_empty_batch_refused(stage, refused, changes):
    with refused("settlement: empty batch"):
        stage.settle(stage.endorse(stage.batch(**changes)))


def test_ninth_lane_refused(stage, refused):
    with refused("settlement: lane"):
        stage.settle(stage.endorse(stage.batch(lane=8)))
    stage.settle(stage.endorse(stage.batch(lane=7)))


@pytest.mark.parametrize("sequence", [1, 2, 2**64 - 1])
def test_gap_in_sequence_refused(stage, refused, sequence):
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(sequence=sequence)))


def test_other_batch_at_a_settled_place_refused(stage, refused):
    stage.settle(stage.endorse(stage.batch()))
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(payment_count=4)))
    stage.settle(stage.endorse(stage.batch(payment_count=4, sequence=1)))


def test_deadline_is_the_last_second(stage, refused):
    """Each mined transaction moves chain time by one second: the next block is the first after `now`."""
    with refused("settlement: deadline"):
        stage.settle(stage.endorse(stage.batch(deadline=stage.now() - 1)))
    late = [stage.endorse(stage.batch(deadline=stage.now()))]
    with pytest.raises(DeadlinePassed):
        stage.sender("relayer").transact(stage.settlement.address, stage.settlement.settle_call(late), gas_limit(late))
    stage.settle(stage.endorse(stage.batch(deadline=stage.now() + 1)))
