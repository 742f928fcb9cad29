"""The simulation finds each bug of `planted.py` within two hundred seeds.

`make test` begins with the seed that found it before (and goes on from there when runs have changed), the soak with
the first.
"""

from __future__ import annotations

import pytest

from tests.simulation.campaign import campaign
from tests.simulation.planted import BUGS

MOST = 200

pytestmark = [pytest.mark.timeout(1_800), pytest.mark.sqlite]


@pytest.fixture(scope="module")
def found() -> dict[str, int]:
    """By bug, the seed that found it; 0 for none. One process founds the network for all of them."""
    summary, _ = campaign(1, MOST, "--bug", "all", "--known")
    seeds: dict[str, int] = summary["found"]
    return seeds


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, found: dict[str, int]) -> None:
    assert 0 < found[name] <= MOST


@pytest.mark.soak
@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found_from_the_first_seed_on(name: str) -> None:
    summary, printed = campaign(1, MOST, "--bug", name)
    assert 0 < summary["found"][name] <= MOST, printed[-2_000:]
