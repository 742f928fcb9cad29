"""Services as forks of one process that has loaded what they need: a start costs a tenth of a second, not three.

Each is a process of its own, as the command line would start it, with crash points planted into it. All end with the
nursery, and that with the test.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.processes import Processes, tie

_ROOT = Path(__file__).resolve().parents[2]
_LOADED = ("feiqian", "nodes.cli", "nodes.app", "bridge.cli", "bridge.app", "compliance.cli", "compliance.app")
_LOADED_LATE = ("serving.run", "web3", "devnet.chain.cli", "devnet.chain.chain", "devnet.chain.server")


class Forked:
    """A service's process, as far as `Processes` asks."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._alive: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._alive = None

    def poll(self) -> int | None:
        """None while it runs."""
        if self._alive is not None and select.select([self._alive], [], [], 0)[0]:
            os.close(self._alive)
            self._alive = None
        return None if self._alive is not None else -signal.SIGKILL


class ForkedProcesses(Processes):
    """The processes of one network, from one nursery; the members' services with points, told by the folder `traps`."""

    def __init__(self, folder: NetworkFolder, traps: Path) -> None:
        super().__init__(folder, tied=True)
        self._traps, self._place = traps, folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FEIQIAN_")}
        self._nursery = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.crashes.nursery"],
            cwd=folder.path,
            env=environment | {"PYTHONPATH": str(_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=tie(os.getpid()),
        )

    def close(self) -> None:
        """All services and the nursery end."""
        self.stop_all()
        self._nursery.communicate()

    def _spawn(self, service: str) -> Forked:  # type: ignore[override]
        asked = {
            "service": service,
            "arguments": self.command(service)[3:],
            "log": str(self._place.log(service)),
            "traps": "" if service == CHAIN else str(self._traps),
        }
        asks, answers = self._nursery.stdin, self._nursery.stdout
        assert asks is not None
        assert answers is not None
        asks.write(json.dumps(asked) + "\n")
        asks.flush()
        return Forked(int(answers.readline()))


def nurse(asks: IO[str], answers: IO[str]) -> dict[str, str] | None:
    """Fork a process for each line; in it, what it was asked to be. None at the end, in the nursery."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    nursery = os.getpid()
    # Not `for line in asks`, which reads ahead: a fork would have what was meant for the next.
    while line := asks.readline():
        asked: dict[str, str] = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(asked, nursery)
            return asked
        answers.write(f"{pid}\n")
        answers.flush()
    return None


def _become(asked: dict[str, str], nursery: int) -> None:
    os.setsid()
    tied = tie(nursery)
    if tied is not None:
        tied()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)


def main() -> None:
    """Load everything, then be whatever is asked for."""
    for name in (*_LOADED, *_LOADED_LATE):
        importlib.import_module(name)
    from contracts.chain.compile import compiled

    for name in ("Council", "Participants", "Ledger", "Settlement"):
        compiled(name)
    assert len(os.listdir("/proc/self/task")) == 1, "only one thread goes with a fork"
    asked = nurse(sys.stdin, sys.stdout)
    if asked is None:
        return
    if asked["traps"]:
        from tests.crashes.points import Points, plant

        plant(Points(Path(asked["traps"]), asked["service"], SERVICES[asked["service"]]))
    import feiqian

    sys.argv = list(asked["arguments"])
    feiqian.main()


if __name__ == "__main__":
    main()
