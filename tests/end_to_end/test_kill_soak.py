"""The kill campaign of `make soak`: each process alone, and all at once, ROUNDS times from SEED on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.network.folder import SERVICES
from tests.end_to_end import load
from tests.end_to_end.load import Round

ROUNDS, SEED = int(os.environ.get("ROUNDS", "10")), int(os.environ.get("SEED", "1"))
TARGETS = {**{service: (service,) for service in SERVICES}, "all": tuple(SERVICES)}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120 + 90 * ROUNDS)]


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """One line a target; printed when all have ended."""
    lines = [f"{'killed':24}{'rounds':>7}{'settled':>9}{'expired':>9}{'refused':>9}{'longest start':>15}"]
    yield lines
    print("\n" + "\n".join(lines))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_lost_or_doubled(target: str, table: list[str], tmp_path: Path) -> None:
    with load.staged(tmp_path / "network") as stage:
        rounds = [_survive(stage, SEED + number, TARGETS[target], tmp_path) for number in range(ROUNDS)]
    table.append(_line(target, rounds))


def _survive(stage: load.Stage, seed: int, victims: tuple[str, ...], scratch: Path) -> Round:
    print(f"\nseed {seed}: kill -9 of {', '.join(victims)}", flush=True)
    done = load.kill_under_load(stage, seed, victims)
    load.check_payment_versus_payment(stage)
    load.check_exactly_once(stage, scratch)
    load.check_customers_paid_what_settled(stage)
    load.check_final_means_final(done)
    load.check_sums(stage)
    return done


def _line(target: str, rounds: list[Round]) -> str:
    ends = [load.ends_of(each) for each in rounds]
    counts = "".join(f"{sum(each[status] for each in ends):>9}" for status in ("settled", "expired", "refused"))
    return f"{target:24}{len(rounds):>7}{counts}{max(each.seconds for each in rounds):>13.1f} s"
