"""The campaign of `make soak-crashes`: every crash point there is, counted first, each killed at and recovered from."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crashes import campaign, exact
from tests.crashes.campaign import Kill
from tests.crashes.test_crash_points import LEAST
from tests.databases import ON_POSTGRESQL

ONLY = os.environ.get("POINTS", "")
"""Only points with this in their name, to look into one."""
WHOLE = {"settled", "refused", "expired", "cancelled"}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3600)]


def test_every_crash_point_twice(tmp_path: Path) -> None:
    began = time.monotonic()
    with campaign.staged(tmp_path / "network") as scene:
        campaign.count(scene)
        assert {deed.standing.status for deed in scene.script.deeds} == WHOLE, "the script does not do all it says"
        points = [point for point in sorted(scene.points) if ONLY in point]
        assert len(points) >= LEAST or ONLY
        print(f"\n{len(scene.points)} crash points", flush=True)
        kills = []
        for number, point in enumerate(points):
            kills.append(campaign.kill_at(scene, point, number))
            print(_line(number + 1, kills[-1]), flush=True)
        exact.check_all(scene.script, tmp_path)
    assert [each.first.point for each in kills] == points
    ends = Counter(deed.standing.status for deed in scene.script.deeds)
    place, minutes = "PostgreSQL" if ON_POSTGRESQL else "SQLite", (time.monotonic() - began) / 60
    print(f"{place}: {len(kills)} points, 2 kills each, in {minutes:.0f} minutes; payments: {dict(ends)}; all exact")
    print(f"died again at {len({each.again.point for each in kills})} different points while recovering")


def _line(number: int, kill: Kill) -> str:
    ends = ", ".join(each.strip() for each in kill.ends)
    return f"{number:4}  {kill.first.point}\n      {kill.act}: {ends}; again at {kill.again.point}"
