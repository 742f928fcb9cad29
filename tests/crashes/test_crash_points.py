"""Kill -9 at crash points, some of them: `make soak-crashes` goes to every one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes import acts, campaign, exact
from tests.crashes.campaign import Scene

QUICK = (acts.pay, acts.be_charged, acts.open_an_account)
LEAST = 60
"""Crash points, at the least."""
PLACES = (
    ("node: POST /v1/payments: nodes.", "committed"),
    ("node: form: nodes.", "acknowledged"),
    ("bridge: POST /peer/v1/reservations: bridge.", "committed"),
    ("compliance: POST /peer/v1/attestations: request", "answering"),
)
"""Where most hangs on what was recorded: the money earmarked, the batch signed, the stock reserved, the word given."""

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with campaign.staged(tmp_path_factory.mktemp("crash") / "network") as scene:
        yield scene


def test_a_kill_at_a_crash_point_and_again_while_recovering_leaves_everything_exact(
    scene: Scene, tmp_path: Path
) -> None:
    campaign.count(scene, QUICK)
    assert len(scene.points) >= LEAST
    points = [_point(scene, *place) for place in PLACES]
    campaign.kill_at(scene, "pay", points)
    assert scene.kills.keys() == set(points)
    exact.check_all(scene.script, tmp_path)


def _point(scene: Scene, place: str, moment: str) -> str:
    return next(point for point in sorted(scene.points) if point.startswith(place) and point.endswith(moment))
