"""Power cuts: whatever a disk has not synced is lost or torn, and no payment is that anybody was told of."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.power import bank

pytestmark = [pytest.mark.sqlite, pytest.mark.timeout(3600)]

CUTS, SEED = int(os.environ.get("CUTS", "1000")), int(os.environ.get("SEED", "1"))
LIVES = 4
"""After each the bank goes on with what one of its cuts has left."""
PAYMENTS = 15
"""Of each wallet in each life."""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is some: what the real disk has synced plays no part."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def weaker(statement: str) -> str:
    return statement.replace("synchronous=FULL", "synchronous=NORMAL")


def cut_power(scratch: Path, cuts: int, seed: int, synced: bool = True) -> list[str]:
    """What was wrong after each cut, "" for nothing."""
    chance, wrong = Random(seed), list[str]()
    (scratch / "new").mkdir()
    begun = bank.new(scratch / "new")
    for life in range(LIVES):
        bank.put(scratch / f"life-{life}", begun.files)
        with bank.power(f"power-{seed}-{life}-{synced}", str if synced else weaker) as disk:
            bank.work(scratch / f"life-{life}", disk, life, PAYMENTS)
        places = sorted(chance.randint(0, len(disk.steps)) for _ in range(cuts // LIVES))
        survivor = chance.randrange(len(places))
        for number, cut in enumerate(bank.cut_off(disk, begun, places, chance)):
            if not synced:  # the file beside the database, which might say so first, is as old as it may be
                cut.files[bank.BESIDE] = begun.files[bank.BESIDE]
            wrong.append(bank.wrong_after(scratch / "after", cut))
            shutil.rmtree(scratch / "after")
            if number == survivor:
                following = cut
        begun = following
    return wrong


def test_no_payment_that_was_acknowledged_is_lost_in_a_power_cut_and_nothing_is_corrupt(scratch: Path) -> None:
    wrong = cut_power(scratch, CUTS, SEED)
    assert len(wrong) == CUTS
    assert not [each for each in wrong if each]


def test_with_less_than_full_synchronous_the_same_cuts_lose_payments(scratch: Path) -> None:
    """What shows that the cuts are cuts: in WAL mode NORMAL syncs at checkpoints alone."""
    wrong = cut_power(scratch, 10 * LIVES, SEED, synced=False)
    assert sum(each.startswith("lost") for each in wrong) >= 5 * LIVES
