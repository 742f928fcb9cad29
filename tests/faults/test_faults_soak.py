"""The same at length, of `make soak-faults`: PAYMENTS payments from SEED on, through faults that come all the time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.faults import checks, stage
from tests.faults.plan import Fault, Plan
from tests.faults.wallets import pay_all

PAYMENTS, SEED = int(os.environ.get("PAYMENTS", "10000")), int(os.environ.get("SEED", "1"))
WALLETS, LIFETIME = 96, 30

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600 + PAYMENTS)]


def test_every_payment_ends_and_all_sums_are_exact(tmp_path: Path) -> None:
    with stage.staged(tmp_path / "network", Plan(SEED), LIFETIME) as faulty:
        began = time.monotonic()
        faulty.proxy.fail()
        orders = pay_all(faulty, PAYMENTS, SEED, WALLETS)
        faulty.proxy.calm()
        took = time.monotonic() - began
        ends = checks.conclude(faulty.stage, orders)
        told = ", ".join(f"{count} {how}" for how, count in ends.most_common())
        print(
            "\n".join(["", f"seed {SEED}: {len(orders)} payments in {took:.0f} s: {told}", *checks.table(faulty.proxy)])
        )
        assert sum(ends.values()) == PAYMENTS
        checks.exact(faulty.stage, tmp_path)
        assert checks.bugs(faulty.stage) == []
        assert {fault for _, fault in faulty.proxy.counts} == set(Fault)
        assert ends["settled"] > PAYMENTS // 50, "nothing was tried: on a machine as busy as this"
