"""The campaign of `make soak-crashes`: every crash point there is, counted first, each killed at and recovered from."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crashes import campaign, exact
from tests.crashes.campaign import Scene
from tests.crashes.test_crash_points import LEAST
from tests.databases import ON_POSTGRESQL

ONLY = re.compile(os.environ.get("POINTS", ""))
"""Only points in whose name this is found, to look into one."""
SIZE = 6
"""Points on which somebody steps in one round; then everything is checked."""
WHOLE = {"settled", "refused", "expired", "cancelled"}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]


def test_every_crash_point_twice(tmp_path: Path) -> None:
    began = time.monotonic()
    with campaign.staged(tmp_path / "network") as scene:
        campaign.count(scene)
        assert {deed.standing.status for deed in scene.script.deeds} == WHOLE, "the script does not do all it says"
        assert len(scene.points) >= LEAST
        print(f"\n{len(scene.points)} crash points after {time.monotonic() - began:.0f} s", flush=True)
        wanted = [point for point in scene.points if ONLY.search(point)]
        for act, points in campaign.rounds(scene, wanted, SIZE):
            known = len(scene.script.deeds)
            campaign.kill_at(scene, act, points)
            ends = [f"{deed.standing.status} {deed.standing.detail}".strip() for deed in scene.script.deeds[known:]]
            print(f"{len(scene.kills):4} {time.monotonic() - began:5.0f} s  {act}: {', '.join(ends)}", flush=True)
            for point in filter(scene.kills.__contains__, points):
                print(f"      {point}; again at {scene.kills[point].again.point}", flush=True)
        exact.check_all(scene.script, tmp_path)
    missed = set(wanted) - scene.kills.keys()
    assert all(campaign.BY_CHANCE in point for point in missed), missed
    _print_summary(scene, (time.monotonic() - began) / 60)


def _print_summary(scene: Scene, minutes: float) -> None:
    kinds = Counter(point.partition(":")[0] for point in scene.kills)
    ends = Counter(deed.standing.status for deed in scene.script.deeds)
    again = {kill.again.point for kill in scene.kills.values()}
    place = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
    print(f"{place}: {len(scene.kills)} crash points {dict(kinds)}, each killed at, and again while recovering at")
    print(f"one of {len(again)} points: all exact; payments {dict(ends)}; {minutes:.0f} minutes")
