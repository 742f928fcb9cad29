"""The campaigns of `make soak-contracts`: model and contracts beside each other for MINUTES, from SEED on."""

from __future__ import annotations

import os
import time
from itertools import count

import pytest

from tests.contract.beside.ground import found
from tests.contract.beside.machine import campaign
from tests.contract.beside.tally import Tally

MINUTES, SEED = int(os.environ.get("MINUTES", "30")), int(os.environ.get("SEED", "1"))

# Shrinking what failed may take as long again.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(60 * (2 * MINUTES + 10))]


def test_contracts_never_leave_the_model() -> None:
    ground, tally = found(), Tally()
    began = time.monotonic()
    for seed in count(SEED):
        print(f"seed {seed}: {tally.steps} steps so far", flush=True)
        campaign(ground, [seed], tally)
        lasted = int(time.monotonic() - began)
        if lasted >= 60 * MINUTES:
            break
    rate = 10 * tally.steps // lasted
    print(f"\n{tally.steps} steps in {lasted} s, {rate // 10}.{rate % 10} a second, seeds {SEED} to {seed}")
    print(f"{tally.settled_share} of 100 calls of settle succeeded\n{tally.table()}")
