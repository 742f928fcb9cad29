"""The chain goes away and comes back: services say so, once. It comes back with another history: all of them stop."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devnet.network import cast
from devnet.network.folder import CHAIN
from devnet.network.run import MEMBERS_SERVICES
from tests import plain_http
from tests.end_to_end import load
from tests.end_to_end.load import Stage

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("away") / "network") as stage:
        yield stage


def said(stage: Stage, service: str) -> list[dict[str, Any]]:
    """The service's own log lines."""
    lines = stage.folder.log(service).read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def until_all(condition: Callable[[str], bool]) -> None:
    """Until it is so for every service but the chain."""
    for service in MEMBERS_SERVICES:
        end = time.monotonic() + PATIENCE
        while not condition(service):
            assert time.monotonic() < end, service
            time.sleep(0.1)


def ready(stage: Stage, service: str) -> httpx2.Response:
    return plain_http.get(f"{stage.folder.url(service)}/ready", timeout=20.0)


def test_each_loop_says_once_that_the_chain_is_away_and_once_that_it_is_back(stage: Stage) -> None:
    before = {service: len(said(stage, service)) for service in MEMBERS_SERVICES}

    def new(service: str) -> list[dict[str, Any]]:
        return said(stage, service)[before[service] :]

    stage.processes.kill([CHAIN])
    until_all(lambda service: ready(stage, service).status_code == 503)
    for service in MEMBERS_SERVICES:
        answer = ready(stage, service)
        assert (answer.json()["missing"], answer.headers["retry-after"]) == ("chain", "1")
        assert plain_http.get(f"{stage.folder.url(service)}/health").status_code == 200
    stage.processes.start([CHAIN])
    stage.processes.wait([CHAIN, *MEMBERS_SERVICES])
    until_all(lambda service: len(new(service)) >= 2)
    for service in MEMBERS_SERVICES:
        away, back = new(service)
        assert "chain" in away["event"]
        assert back["event"] == f"over: {away['event']}"
        assert back["tries"] > 1
        assert {away["service"], back["service"]} == {stage.folder.plan.names[service]}


def test_a_chain_with_another_history_stops_every_service(stage: Stage) -> None:
    """Last: the network is of no use any more."""
    stage.processes.kill([CHAIN])
    file = stage.folder.database(CHAIN)
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    stage.processes.start([CHAIN])
    stage.processes.wait([CHAIN])
    until_all(lambda service: not stage.processes.is_running(service))
    for service in MEMBERS_SERVICES:
        assert said(stage, service)[-1]["event"] == "halt: a final block changed"
    command = stage.processes.command(cast.INSTITUTIONS[0].compliance)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    again = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert again.returncode == 70, "compliance starts without a chain, and does not stay up with another one"
