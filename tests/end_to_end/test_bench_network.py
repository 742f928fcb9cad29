"""The benchmark of a network runs and gives figures; how good they are is no matter of tests."""

from __future__ import annotations

import pytest

from tests.benchmarks.network import ACCEPTED, Extent, tables
from tests.benchmarks.runs import STEPS, WALLETS

LISTS = {"most in lists", "80 % in lists"}
SETTLES = {"alone", "most", "80 %", "most, batches of one", "80 %, batches of one"} | LISTS


@pytest.mark.timeout(480)
def test_the_benchmark_of_a_network_measures_everything_that_it_shows() -> None:
    extent = Extent(seconds=2, warm_up=0, alone=2, customers=3, crowds=(4,), lists=(3,), shares=(0.8,))
    alone, settled, accepted, steps, processes, batches = tables(extent)
    assert [row[0] for row in alone.rows] == [2, 2]
    assert [row[0] for row in settled.rows] == ["most", "80 %", "most in lists", "80 % in lists"]
    assert len(accepted.rows) == len(ACCEPTED)
    assert all(row[1] for row in accepted.rows), "a node accepted"
    assert [row[0] for row in steps.rows] == list(STEPS)
    shown = dict(zip(steps.columns, steps.rows[-1], strict=True))
    assert all(shown[f"{run} p50"] > 0 for run in ("alone", "80 %", "80 % in lists"))  # type: ignore[operator]
    assert {"chain", WALLETS, "all together"} < {row[0] for row in processes.rows}
    found = {row[0]: dict(zip(batches.columns, row, strict=True)) for row in batches.rows}
    assert found.keys() == SETTLES
    assert all(each["gas a payment"] for each in found.values())  # each run settled something
    assert {found[run]["largest"] for run in SETTLES if run.endswith("of one")} == {1}
