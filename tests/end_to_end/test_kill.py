"""Kill -9 of every process at once and of one alone, at a moment that a seed chooses, under load; then start again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from devnet.network.cli import app as network_command
from devnet.network.folder import CHAIN, SERVICES
from tests.end_to_end import load
from tests.end_to_end.load import Round, Stage

ROUNDS = {"everything": (1, tuple(SERVICES)), "one-node": (2, ("chaophraya-node",)), "the-chain": (3, (CHAIN,))}
"""Seed and victims. `make soak` kills each process alone, and all, for many rounds."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("kill") / "network") as stage:
        yield stage


@pytest.fixture(scope="module", params=ROUNDS.values(), ids=ROUNDS)
def survived(stage: Stage, request: pytest.FixtureRequest) -> Round:
    seed, victims = request.param
    return load.kill_under_load(stage, seed, victims)


def test_promise_1_payment_versus_payment(survived: Round) -> None:
    load.check_payment_versus_payment(survived.stage)


def test_promise_3_exactly_once(survived: Round, tmp_path: Path) -> None:
    load.check_exactly_once(survived.stage, tmp_path)


def test_promise_4_every_earmark_ends(survived: Round) -> None:
    load.check_customers_paid_what_settled(survived.stage)


def test_promise_5_final_means_final(survived: Round) -> None:
    load.check_final_means_final(survived)


def test_the_load_settles_through_the_kill_and_the_sums_hold(survived: Round) -> None:
    ends = load.ends_of(survived)
    assert ends["settled"] >= 10, ends
    load.check_sums(survived.stage)


def test_the_command_line_shows_and_stops_the_network(stage: Stage) -> None:
    """Last in this file: `feiqian network` needs nothing but the folder, also in another process."""
    path = str(stage.folder.path)
    shown = CliRunner().invoke(network_command, ["status", path])
    assert shown.exit_code == 0
    assert "not running" not in shown.output
    assert CliRunner().invoke(network_command, ["stop", path]).exit_code == 0
    assert not any(map(stage.processes.is_running, SERVICES))
    assert CliRunner().invoke(network_command, ["status", path]).output.count("not running") == len(SERVICES)
