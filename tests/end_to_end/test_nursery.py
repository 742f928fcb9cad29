"""A network's processes as forks: each looks, starts and ends as its command line would."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devnet.network.folder import CHAIN, NetworkFolder
from devnet.network.found import found
from devnet.network.nursery import ForkedProcesses, Nursery
from devnet.network.processes import NotRunning
from tests.end_to_end.load import await_equal
from tests.forks import nursery

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux alone")


@pytest.fixture
def folder(tmp_path: Path) -> NetworkFolder:
    return found(tmp_path / "network")


def test_a_fork_is_found_by_its_command_line_and_ends_by_kill(folder: NetworkFolder) -> None:
    processes = ForkedProcesses(folder, tied=True, nursery=nursery())
    processes.start([CHAIN])
    processes.wait([CHAIN])
    pid = processes.pids()[CHAIN]
    assert Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].split() == processes.command(CHAIN)
    assert not folder.log(CHAIN).read_text().startswith("Traceback")
    processes.kill([CHAIN])
    assert not processes.is_running(CHAIN)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("tied", [True, False])
def test_only_what_is_tied_ends_with_the_nursery(folder: NetworkFolder, tied: bool) -> None:
    ours = Nursery()
    processes = ForkedProcesses(folder, tied, ours)
    processes.start([CHAIN])
    processes.wait([CHAIN])
    ours.close()
    try:
        await_equal(lambda: processes.is_running(CHAIN), not tied, 10.0)
    finally:
        processes.stop([CHAIN])


def test_a_service_that_cannot_start_says_so_in_its_log(folder: NetworkFolder) -> None:
    folder.sealer_key.write_text("no key")
    processes = ForkedProcesses(folder, tied=True, nursery=nursery())
    processes.start([CHAIN])
    await_equal(lambda: processes.is_running(CHAIN), False, 10.0)
    assert "want 64 hex digits" in folder.log(CHAIN).read_text()


def test_what_cannot_be_forked_any_more_is_said(folder: NetworkFolder) -> None:
    ours = Nursery()
    ours._process.kill()
    ours._process.wait()
    with pytest.raises(NotRunning, match="chain: the process that services are forked from has ended"):
        ForkedProcesses(folder, tied=True, nursery=ours).start([CHAIN])
