"""`python -m tests.simulation 17` runs seed 17 and prints its trace; `1 300` runs the seeds from 1 to 300.

With `--bug NAME` (several times, or `--bug all`) bugs are planted, each in a process of its own that ends with the
first seed that finds it; `--known` begins with the seed that found it before. The last line is a summary in JSON; the
exit code is 1 when a seed failed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import structlog

REPLAY = "python -m tests.simulation"
DEEPEST = "deepest reorganisation"
"""The one count that is no sum."""


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog=REPLAY, description=__doc__)
    parser.add_argument("first", type=int, help="the seed, or the first of several")
    parser.add_argument("last", type=int, nargs="?", help="the last seed")
    parser.add_argument("--bug", action="append", default=[], help="plant a bug of tests/simulation/planted.py")
    parser.add_argument("--known", action="store_true", help="begin with the seed that found the bug before")
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of texts is part of a run, and the interpreter draws it anew for each process.
        again = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    seeds, told = range(asked.first, (asked.last or asked.first) + 1), asked.last is None
    _begin()
    return _hunt(asked.bug, seeds, told, asked.known) if asked.bug else _run(seeds, told)


def _begin() -> None:
    from tests.simulation import databases, stage

    structlog.configure(processors=[_unheard], cache_logger_on_first_use=False)  # a line bears this clock's time
    stage.start()
    databases.close_all()
    gc.freeze()  # what is there now stays
    gc.disable()  # a run ends before its leavings are many


def _unheard(*_: object) -> Any:
    """What services log while a network is founded; a run's own log lines are in its trace."""
    raise structlog.DropEvent


def _run(seeds: Iterable[int], told: bool) -> int:
    from tests.simulation.run import run

    totals, failed, began = Counter[str](), dict[int, str](), time.process_time()
    for seed in seeds:
        report = run(seed)
        deepest = max(totals[DEEPEST], report.counts[DEEPEST])
        totals += report.counts
        totals[DEEPEST] = deepest
        totals["run"] += 1
        if told or report.violation:
            print("\n".join(report.lines))
        if report.violation:
            failed[seed] = report.violation
            print(f"seed {seed}: {report.violation}\nreplay: {REPLAY} {seed}", flush=True)
        if told:
            print(f"digest {report.digest}")
        if totals["run"] % 25 == 0:
            spent = time.process_time() - began
            print(f"{totals['run']} runs, {len(failed)} failed, {spent:.0f} s", file=sys.stderr, flush=True)
    seconds = round(time.process_time() - began, 1)
    print(json.dumps({"counts": dict(sorted(totals.items())), "failed": failed, "processor_seconds": seconds}))
    return 1 if failed else 0


def _hunt(wanted: list[str], seeds: range, told: bool, known: bool) -> int:
    """Plant each bug in a copy of this process, which is founded once."""
    from tests.simulation.planted import BUGS, KNOWN

    found: dict[str, int] = {}
    for name in BUGS if wanted == ["all"] else wanted:
        tried = range(max(KNOWN[name], seeds.start), seeds.stop) if known else seeds
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(_first_to_find(name, tried, told)).encode())
            os._exit(0)  # the disks are the parent's to remove
        os.close(writing)
        os.waitpid(child, 0)
        found[name] = int(os.read(reading, 20) or b"-1")
        os.close(reading)
        print(f"{name}: {f'found by seed {found[name]}' if found[name] > 0 else 'not found'}", flush=True)
    print(json.dumps({"found": found}))
    return 1 if any(seed > 0 for seed in found.values()) else 0


def _first_to_find(name: str, seeds: Iterable[int], told: bool) -> int:
    from tests.simulation.planted import plant
    from tests.simulation.run import run

    plant(name)
    for seed in seeds:
        report = run(seed)
        if report.violation:
            print("\n".join(report.lines) if told else f"{name}: {report.violation}")
            print(f"replay: {REPLAY} --bug {name!r} {seed}", flush=True)
            return seed
    return 0


if __name__ == "__main__":
    sys.exit(main())
