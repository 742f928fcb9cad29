"""The campaign of `make soak-simulation`: SEEDS seeds from SEED on, on both cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.simulation.campaign import campaign

SEEDS, SEED = int(os.environ.get("SEEDS", "2000")), int(os.environ.get("SEED", "1"))
PART = 50

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


def test_no_seed_of_a_long_campaign_fails() -> None:
    parts = [(first, min(first + PART, SEED + SEEDS) - 1) for first in range(SEED, SEED + SEEDS, PART)]
    totals, failed, seconds = dict[str, int](), dict[str, str](), 0
    with ThreadPoolExecutor(2) as pool:
        for (first, last), (summary, printed) in zip(parts, pool.map(lambda part: campaign(*part), parts), strict=True):
            for name, count in summary["counts"].items():
                known = totals.get(name, 0)
                totals[name] = max(known, count) if name.startswith("deepest") else known + count
            failed |= summary["failed"]
            seconds += int(summary["processor_seconds"])
            print(
                f"seeds {first} to {last}: {len(summary['failed'])} failed, {seconds} s of processor so far", flush=True
            )
            if summary["failed"]:
                print(printed)
    print("\n".join(f"{count:>9} {name}" for name, count in sorted(totals.items())))
    assert not failed, failed
