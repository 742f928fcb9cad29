"""The peers from npm, asked through one process of node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NAMES = ("promptparse", "vietnam-qr-pay")


def installed() -> bool:
    """Whether node is here and `make test-peers` has installed the peers."""
    return shutil.which("node") is not None and (FOLDER / "node_modules" / NAMES[0]).is_dir()


def read_by_peers(payloads: Sequence[str]) -> list[dict[str, Any]]:
    """What each peer says of each payload, None where it refuses."""
    return [json.loads(line) for line in _run("read", payloads).splitlines()]


def timed_by_peers(payloads: Sequence[str]) -> dict[str, float]:
    """Microseconds of processor time a payload, for each peer."""
    timed: dict[str, float] = json.loads(_run("time", payloads))
    return timed


def _run(what: str, payloads: Sequence[str]) -> str:
    asked = "".join(json.dumps(payload) + "\n" for payload in payloads)
    run = subprocess.run(
        ["node", "peers.mjs", what], cwd=FOLDER, input=asked, capture_output=True, text=True, check=True
    )
    return run.stdout
