"""The benchmark of lists runs and gives figures for every door; how good they are is no matter of tests."""

from __future__ import annotations

import pytest

from tests.benchmarks.lists import SERVICES, STEPS, SUMS, tables


@pytest.mark.timeout(480)
def test_the_benchmark_of_lists_measures_every_door() -> None:
    [table] = tables({1: 1, 3: 2})
    assert len(table.rows) == sum(map(len, STEPS.values())) + len(SUMS)
    assert {str(row[0]).rpartition(": ")[2] for row in table.rows} == set(SERVICES)
    asked = [row for row in table.rows if not str(row[0]).startswith("book")]
    assert all(figure > 0 for row in asked for figure in row[1:3])  # type: ignore[operator]
