"""next_sequence: where a lane stands."""

from __future__ import annotations


def test_counts_each_lane_of_each_debtor_agent(stage):
    wallet, acquirer = stage.account("wallet"), stage.account("acquirer")
    assert [stage.settlement.next_sequence(wallet, lane) for lane in range(9)] == [0] * 9
    stage.settle(stage.endorse(stage.batch(lane=5)), stage.endorse(stage.batch(lane=5, sequence=1)))
    assert [stage.settlement.next_sequence(wallet, lane) for lane in range(9)] == [0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert stage.settlement.next_sequence(acquirer, 5) == 0


def test_replay_does_not_count(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed, signed)
    stage.settle(signed)
    assert stage.settlement.next_sequence(stage.account("wallet"), 0) == 1
