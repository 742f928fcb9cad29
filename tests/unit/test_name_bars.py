"""The bars of name matching on public data, as floors that only rise; and for each a planted mistake that it notices.

Samples here; `make soak-names` measures the whole. Training saw none of the names that are asked (see MODEL.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from compliance.names import align, features, match, scripts, search, written
from compliance.names.match import NameIndex
from tests.names import bars, sources

pytestmark = [
    pytest.mark.skipif(not sources.present(), reason="the shared data is absent: no public names to measure with"),
    pytest.mark.xdist_group("names"),
]

STRANGERS, EACH = 1_500, 60
HERE = Path(__file__)


@cache
def ofac() -> NameIndex:
    return NameIndex(sources.ofac_2026(), least=0)


@cache
def limit(share: float, native: bool = False) -> int:
    return bars.threshold(ofac(), bars.strangers(STRANGERS, native=native), share)


@cache
def curve(bench: str) -> bars.Curve:
    return bars.name_bench() if bench == "names" else bars.entity_bench()


def test_labelled_pairs_of_names() -> None:
    found = curve("names")
    assert found.average_precision >= 0.89
    assert found.best_f1 >= 0.84
    assert found.recall_at(0.95) >= 0.46


def test_labelled_pairs_of_entities() -> None:
    found = curve("entities")
    assert found.best_accuracy() >= 0.85
    assert found.recall_at(0.90) >= 0.70


def test_few_others_have_the_highest_score() -> None:
    assert curve("names").share_at_most(match.SAME_WORDS) <= 0.05


def test_the_fixtures_of_the_un_come_first() -> None:
    assert bars.un_at_first_rank(treated=False) == 1.0
    assert bars.un_at_first_rank(treated=True) >= 0.997


@pytest.mark.parametrize(("kind", "floor"), [("person", 0.985), ("organization", 0.975)])
def test_spoiled_names_are_found(kind: str, floor: float) -> None:
    found = recalls(kind)
    assert sum(found.values()) / len(found) >= floor
    assert {name: share for name, share in found.items() if share < 0.95} == {}


@cache
def recalls(kind: str) -> dict[str, float]:
    queries = bars.perturbed(kind, EACH)
    return {name: bars.recall(ofac(), asked, limit(0.01)) for name, asked in queries.items()}
