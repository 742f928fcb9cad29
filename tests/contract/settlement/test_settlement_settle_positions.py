"""settle: its guards of what moves. Each test changes one thing in a call that settles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.spoiled import moved

CNY, THB = 156, 764


def test_the_call_that_settles(stage):
    stage.settle(stage.endorse(stage.batch()))


@pytest.mark.parametrize("spoil", [lambda each: each[::-1], lambda each: (each[0], *each)], ids=["order", "twice"])
def test_positions_are_ascending_and_unique(stage, refused, spoil):
    batch = stage.batch()
    with refused("settlement: positions"):
        stage.settle(stage.endorse(replace(batch, positions=spoil(batch.positions))))


def test_position_of_a_non_member_refused(stage, refused):
    batch = stage.batch(("wallet", CNY, -100), ("acquirer", CNY, 100), also=["provider"])
    members = tuple(each for each in batch.members if each != stage.account("acquirer"))
    with refused("settlement: position of a non-member"):
        stage.settle(stage.endorse(replace(batch, members=members)))
    stage.settle(stage.endorse(batch))


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("index", range(4))
def test_each_currency_sums_to_zero(stage, refused, index, by):
    batch = stage.batch()
    with refused("settlement: not zero-sum"):
        stage.settle(stage.endorse(replace(batch, positions=moved(batch.positions, index, by))))


def test_one_currency_does_not_make_up_for_another(stage, refused):
    """One CNY too many and one THB too few are two wrongs."""
    batch = stage.batch()
    assert [each.currency for each in batch.positions] == [CNY, CNY, THB, THB]
    with refused("settlement: not zero-sum"):
        stage.settle(stage.endorse(replace(batch, positions=moved(moved(batch.positions, 0, 1), 2, -1))))


def test_debit_without_liquidity_refused(stage, refused):
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(stage.batch(("acquirer", THB, -1), ("provider", THB, 1))))
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, 1), ("provider", THB, -1))))
