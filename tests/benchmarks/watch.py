"""What processes take of the machine, and how long the disk takes (Linux: proc(5))."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024
_BLOCK = 4096


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor time of each process since it began, in seconds: user and system."""
    found = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


def memory_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident memory of each process in MiB."""
    return {name: _status(pid)["VmRSS"] / _KIB for name, pid in pids.items()}


def _status(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = [line.partition(":")[::2] for line in lines if line.endswith(" kB")]
    return {name: int(value.split()[0]) for name, value in pairs}


def fsync_ms(folder: Path, times: int = 200) -> list[float]:
    """Milliseconds of each of `times` appends of a block to a file in `folder`, written through to the disk."""
    file = folder / "fsync"
    taken = []
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(times):
            begin = time.perf_counter()
            os.write(descriptor, bytes(_BLOCK))
            os.fsync(descriptor)
            taken.append((time.perf_counter() - begin) * 1000)
    finally:
        os.close(descriptor)
        file.unlink()
    return taken


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]
