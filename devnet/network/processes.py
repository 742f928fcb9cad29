"""Processes: each service of a network as a process of its own, started, watched, stopped, killed."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import httpx2

from contracts.terms.errors import Unavailable
from devnet.network.folder import CHAIN, HOST, SERVICES, NetworkFolder

_PR_SET_PDEATHSIG = 1
_LOOK_AGAIN = 0.05
_LOG_LINES = 12
_ROOT = Path(__file__).resolve().parents[2]


class NotRunning(Unavailable):
    """A service did not start, or ended by itself; the detail shows its last log lines."""

    title = "A service is not running"


class Processes:
    """The processes of one network. With `tied`, they end with this process, however it ends (Linux).

    Start them from the main thread: Linux ties a child to the thread that made it.
    """

    def __init__(self, folder: NetworkFolder, tied: bool = False) -> None:
        self._folder = folder
        self._tied = tied
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._file = folder.path / "processes.json"

    def start(self, services: Iterable[str]) -> None:
        """Start what is not running; `wait` says when it is ready."""
        pids = self.pids()
        for service in services:
            if not self.is_running(service):
                self._children[service] = self._spawn(service)
                pids[service] = self._children[service].pid
        self._write(pids)

    def wait(self, services: Sequence[str], patience: float = 60.0) -> None:
        """Wait until all answer. Raises NotRunning when one has ended or `patience` seconds are over."""
        end = time.monotonic() + patience
        with httpx2.Client(timeout=2.0, trust_env=False) as http:
            for service in services:
                while not self._answers(http, service):
                    if not self.is_running(service):
                        raise NotRunning(f"{service} has ended. {self._last_lines(service)}")
                    if time.monotonic() > end:
                        raise NotRunning(f"{service} does not answer. {self._last_lines(service)}")
                    time.sleep(_LOOK_AGAIN)

    def stop(self, services: Sequence[str], patience: float = 8.0) -> None:
        """SIGTERM, and SIGKILL for what has not ended after `patience` seconds."""
        self._signal(services, signal.SIGTERM)
        end = time.monotonic() + patience
        while any(map(self.is_running, services)) and time.monotonic() < end:
            time.sleep(_LOOK_AGAIN)
        self.kill(services)

    def kill(self, services: Sequence[str]) -> None:
        """SIGKILL (kill -9), and wait until they are gone."""
        self._signal(services, signal.SIGKILL)
        while any(map(self.is_running, services)):
            time.sleep(_LOOK_AGAIN)
        self._write({name: pid for name, pid in self.pids().items() if name not in services})

    def stop_all(self) -> None:
        """Everything, the chain last, so that what is under way can be finished."""
        self.stop([name for name in SERVICES if name != CHAIN])
        self.stop([CHAIN])

    def is_running(self, service: str) -> bool:
        child = self._children.get(service)
        if child is not None:
            return child.poll() is None
        pid = self.pids().get(service)
        return pid is not None and self._is_ours(pid)

    def pids(self) -> dict[str, int]:
        """Process ids by service, as they were started; some may have ended."""
        try:
            found: dict[str, int] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def command(self, service: str) -> list[str]:
        """The command line of a service."""
        folder, start = self._folder, [sys.executable, "-P", "-m", "feiqian", SERVICES[service]]
        if service != CHAIN:
            return [*start, "serve", "--config", str(folder.settings(service))]
        options = {
            "--genesis": folder.network_file,
            "--database": folder.database(CHAIN),
            "--sealer-key": folder.sealer_key,
            "--host": HOST,
            "--port": folder.plan.ports[CHAIN],
            "--heartbeat": folder.plan.heartbeat,
        }
        return start + [str(part) for option in options.items() for part in option]

    def _spawn(self, service: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FEIQIAN_")}
        with self._folder.log(service).open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                self.command(service),
                cwd=self._folder.path,
                env=environment | {"PYTHONPATH": str(_ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_tie(os.getpid()) if self._tied else None,
            )

    def _answers(self, http: httpx2.Client, service: str) -> bool:
        url = self._folder.url(service)
        with suppress(httpx2.HTTPError):
            if service == CHAIN:
                question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
                return "result" in http.post(url, json=question).json()
            return http.get(f"{url}/health").status_code == 200
        return False

    def _signal(self, services: Iterable[str], number: signal.Signals) -> None:
        pids = self.pids()
        for service in services:
            if service in pids and self.is_running(service):
                # Each service leads a process group of its own.
                with suppress(ProcessLookupError):
                    os.killpg(pids[service], number)

    def _is_ours(self, pid: int) -> bool:
        """Whether a process that we are not the parent of is still the one that was started, not a later one."""
        try:
            os.kill(pid, 0)
            status, line = Path(f"/proc/{pid}/stat"), Path(f"/proc/{pid}/cmdline")
            if not line.parent.parent.joinpath("self").exists():
                return True
            ended = status.read_text().rpartition(")")[2].split()[0] == "Z"
            return not ended and str(self._folder.path).encode() in line.read_bytes()
        except (ProcessLookupError, FileNotFoundError):
            return False

    def _last_lines(self, service: str) -> str:
        file = self._folder.log(service)
        lines = file.read_text(errors="replace").splitlines()[-_LOG_LINES:] if file.exists() else []
        return f"The end of {file}:\n" + "\n".join(lines)

    def _write(self, pids: dict[str, int]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(pids))
        fresh.replace(self._file)


def _tie(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes the service: ask the kernel for SIGKILL at its parent's end."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before the kernel was asked.
        if os.getppid() != parent:
            os._exit(1)

    return tie
