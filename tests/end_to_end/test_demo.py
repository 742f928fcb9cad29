"""The main job as a new user runs it: `feiqian demo`, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    """The command, with temporary files below `folder`, so that its processes can be told by their command lines."""
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "feiqian", "demo", *options],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def processes_of(folder: Path) -> list[int]:
    """Every process whose command line names the folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes()
        except OSError:
            continue  # it ended between the two looks
        if str(folder).encode() in words:
            found.append(int(line.parent.name))
    return found


def await_count(folder: Path, wanted: range, patience: float = 60.0) -> int:
    """The number of the folder's processes once it is in `wanted`, or after `patience` seconds."""
    end = time.monotonic() + patience
    while (count := len(processes_of(folder))) not in wanted and time.monotonic() < end:
        time.sleep(0.05)
    return count


@on_linux
def test_the_demo_does_the_main_job_and_cleans_up(tmp_path: Path) -> None:
    running = demo(tmp_path, "--payments", "30", "--seed", "3")
    said, _ = running.communicate(timeout=150)
    assert running.returncode == 0, said
    assert said.splitlines()[-1].startswith("demo: OK")
    assert "payments settled   │ 40" in said
    assert "refused at step" in said
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    running = demo(tmp_path, "--payments", "30")
    assert await_count(tmp_path, range(2, 100)) >= 2
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert await_count(tmp_path, range(1)) == 0


@on_linux
def test_an_interrupted_demo_stops_what_it_started_and_keeps_the_logs(tmp_path: Path) -> None:
    running = demo(tmp_path)
    assert await_count(tmp_path, range(1, 100)) >= 1
    running.terminate()
    running.communicate(timeout=60)
    assert running.returncode == 143
    assert processes_of(tmp_path) == []


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    running = demo(tmp_path, "--folder", str(tmp_path))
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "is not empty" in said
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
