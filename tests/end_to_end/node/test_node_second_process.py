"""A second process on a service's database or port leaves at once, with one line, and the first goes on."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devnet.network import cast

ROOT = Path(__file__).resolve().parents[3]
SERVICES = (cast.INSTITUTIONS[0].node, cast.PROVIDER_BRIDGE, cast.INSTITUTIONS[0].compliance)


def second(stage: Any, service: str, **environment: str) -> str:
    """The one line with which a second process of this service leaves."""
    done = subprocess.run(
        stage.processes.command(service),
        cwd=stage.folder.path,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert stage.processes.is_running(service)
    return done.stderr


@pytest.mark.sqlite
@pytest.mark.parametrize("service", SERVICES)
def test_a_second_process_on_one_database_leaves(stage: Any, service: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    line = second(stage, service, FEIQIAN_PORT=str(port))
    assert str(stage.folder.database(service)) in line
    assert str(stage.processes.pids()[service]) in line


def test_a_second_process_on_one_port_leaves_before_it_opens_its_database(stage: Any, tmp_path: Path) -> None:
    line = second(stage, SERVICES[0], FEIQIAN_DATABASE=str(tmp_path / "other.db"))
    assert str(stage.folder.plan.ports[SERVICES[0]]) in line
    assert list(tmp_path.iterdir()) == []
