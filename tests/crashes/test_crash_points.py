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
POINTS = (
    "node: POST /v1/payments: nodes.payments.accept.accept_all: committed",
    "node: form: nodes.batches.form._record_signed: acknowledged",
    "bridge: POST /peer/v1/reservations: bridge.reservations.service.Reservations.reserve: committed",
    "compliance: POST /peer/v1/attestations: request: answering",
)
"""Where most hangs on what was recorded: the money earmarked, the batch signed, the stock reserved, the word given."""


pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with campaign.staged(tmp_path_factory.mktemp("crash") / "network") as scene:
        yield scene


def test_a_kill_at_a_crash_point_and_again_while_recovering_leaves_everything_exact(
    scene: Scene, tmp_path: Path
) -> None:
    campaign.count(scene, QUICK)
    assert len(scene.points) >= LEAST
    campaign.kill_at(scene, "pay", POINTS)
    assert scene.kills.keys() == set(POINTS)
    exact.check_all(scene.script, tmp_path)
