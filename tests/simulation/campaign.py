"""Seeds in a Python process of their own, as a person replays one: the simulation keeps the process that it ran in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def campaign(first: int, last: int, *options: str) -> tuple[dict[str, Any], str]:
    """Run the seeds `first` to `last` with these options; the summary, and everything that was printed."""
    command = [sys.executable, "-m", "tests.simulation", *options, str(first), str(last)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert done.returncode in (0, 1), f"{done.stdout[-2_000:]}\n{done.stderr}"
    summary: dict[str, Any] = json.loads(lines[-1])
    return summary, done.stdout
