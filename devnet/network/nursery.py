"""A network's services as forks of one process that has loaded what they need (Linux).

Nine Python processes that each load the same libraries take most of the time in which a network starts on one machine.
Each fork is a process of its own, with a session, a log and a process group as `Processes` gives them.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from setproctitle import setproctitle

from devnet.network.folder import NetworkFolder
from devnet.network.processes import NotRunning, Processes, tie

_LOADED = ("feiqian", "devnet.chain.cli", "devnet.chain.chain", "devnet.chain.server", "serving.run")
_LOADED += ("nodes.cli", "nodes.app", "bridge.cli", "bridge.app", "compliance.cli", "compliance.app")
_ROOT = Path(__file__).resolve().parents[2]

Asked = dict[str, str]
"""What a fork is to be: its `command` line (JSON), `folder` and `log`, whether it is `tied`, and whose it is."""


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


class Nursery:
    """The process that is forked. It ends with this one; so do its `tied` forks."""

    def __init__(self, module: str = __name__) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FEIQIAN_")}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", module],
            env=environment | {"PYTHONPATH": str(_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=tie(os.getpid()),
        )

    def fork(self, asked: Asked) -> Forked:
        """Make a process that is what is asked for. Raises NotRunning when the nursery has ended."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None
        assert answers is not None
        pid = ""
        with suppress(BrokenPipeError):
            asks.write(json.dumps(asked) + "\n")
            asks.flush()
            pid = answers.readline()
        if not pid:
            raise NotRunning(f"{asked['service']}: the process that services are forked from has ended")
        return Forked(int(pid))

    def close(self) -> None:
        """The nursery ends, its forks go on unless they are tied."""
        self._process.communicate()


class ForkedProcesses(Processes):
    """The processes of one network, from a nursery that other networks may share."""

    def __init__(self, folder: NetworkFolder, tied: bool, nursery: Nursery) -> None:
        super().__init__(folder, tied)
        self._nursery = nursery

    def _spawn(self, service: str) -> Forked:  # type: ignore[override]
        return self._nursery.fork(self.asked(service))

    def asked(self, service: str) -> Asked:
        """What the nursery is told of a service."""
        folder = self._folder
        return {
            "service": service,
            "command": json.dumps(self.command(service)),
            "folder": str(folder.path),
            "log": str(folder.log(service)),
            "tied": "yes" if self._tied else "",
        }


def serve(prepare: Callable[[Asked], None] = lambda _: None) -> None:
    """Be the nursery, and in each of its forks, `prepare`d, the service that it was asked to be."""
    for name in _LOADED:
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "only one thread goes with a fork"
    # What a fork's collector looks through, it gets a copy of.
    gc.collect()
    gc.freeze()
    asked = _nurse(sys.stdin, sys.stdout)
    if asked is None:
        return
    prepare(asked)
    import feiqian

    command = json.loads(asked["command"])
    setproctitle(" ".join(command))  # as whoever looks for the service expects it
    sys.argv = command[command.index("feiqian") :]
    feiqian.main()


def _nurse(asks: IO[str], answers: IO[str]) -> Asked | None:
    """Fork a process for each line; in it, what it was asked to be. None at the end, in the nursery."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    nursery = os.getpid()
    # Not `for line in asks`, which reads ahead: a fork would have what was meant for the next.
    while line := asks.readline():
        asked: Asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(asked, nursery)
            return asked
        answers.write(f"{pid}\n")
        answers.flush()
    return None


def _become(asked: Asked, nursery: int) -> None:
    os.setsid()
    tied = tie(nursery) if asked["tied"] else None
    if tied is not None:
        tied()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    os.chdir(asked["folder"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)


if __name__ == "__main__":
    serve()
