"""A network that refuses, resets, cuts, falls silent, delays and repeats: every payment ends, all sums are exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.network.folder import SERVICES
from tests.faults import checks, stage
from tests.faults.plan import Fault, Plan
from tests.faults.stage import Faulty
from tests.faults.wallets import pay_all

SEED, PAYMENTS, WALLETS, LIFETIME = 7, 48, 48, 15
MEAN, SETTLED = 40, 8
"""Pieces between faults, so that few payments meet many; and how many settle at least, on a busy machine too."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with stage.staged(tmp_path_factory.mktemp("faults") / "network", Plan(SEED, MEAN), LIFETIME) as faulty:
        yield faulty


def test_promises_1_3_and_4_hold_through_every_fault_of_a_network(faulty: Faulty, tmp_path: Path) -> None:
    faulty.proxy.fail()
    orders = pay_all(faulty, PAYMENTS, SEED, WALLETS)
    faulty.proxy.calm()
    ends = checks.conclude(faulty.stage, orders)
    told = "\n".join([str(ends), *checks.table(faulty.proxy)])
    assert ends["settled"] >= SETTLED, told
    assert {fault for _, fault in faulty.proxy.counts} == set(Fault), told
    assert {link for link, _ in faulty.proxy.counts} > set(SERVICES), told
    checks.exact(faulty.stage, tmp_path)
    assert checks.bugs(faulty.stage) == []
