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
        known = self._known()
        for service in services:
            if not self.is_running(service):
                self._children[service] = self._spawn(service)
                pid = self._children[service].pid
                known[service] = pid, _began(pid)
        self._write(known)

    def wait(self, services: Sequence[str], patience: float = 60.0, path: str = "/ready") -> None:
        """Wait until all are ready, or at `/health` only until they answer.

        Raises NotRunning when one has ended or `patience` seconds are over.
        """
        end = time.monotonic() + patience
        with httpx2.Client(timeout=2.0, trust_env=False) as http:
            for service in services:
                while not self._answers(http, service, path):
                    if not self.is_running(service):
                        raise NotRunning(f"{service} has ended. {self._last_lines(service)}")
                    if time.monotonic() > end:
                        raise NotRunning(f"{service} does not answer {path} with 200. {self._last_lines(service)}")
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
        self._write({name: process for name, process in self._known().items() if name not in services})

    def stop_all(self) -> None:
        """Everything, the chain last, so that what is under way can be finished."""
        self.stop([name for name in SERVICES if name != CHAIN])
        self.stop([CHAIN])

    def is_running(self, service: str) -> bool:
        child = self._children.get(service)
        if child is not None:
            return child.poll() is None
        pid, began = self._known().get(service, (0, None))
        # A number is used again after its process has ended; number and beginning together are not.
        return began is not None and _began(pid) == began

    def pids(self) -> dict[str, int]:
        """Process ids by service, as they were started; some may have ended."""
        return {service: pid for service, (pid, _) in self._known().items()}

    def _known(self) -> dict[str, tuple[int, int | None]]:
        try:
            return {service: (pid, began) for service, (pid, began) in json.loads(self._file.read_text()).items()}
        except FileNotFoundError:
            return {}

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
                preexec_fn=tie(os.getpid()) if self._tied else None,
            )

    def _answers(self, http: httpx2.Client, service: str, path: str) -> bool:
        url = self._folder.url(service)
        with suppress(httpx2.HTTPError):
            if service == CHAIN:
                question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
                return "result" in http.post(url, json=question).json()
            return http.get(url + path).status_code == 200
        return False

    def _signal(self, services: Iterable[str], number: signal.Signals) -> None:
        pids = self.pids()
        for service in services:
            if service in pids and self.is_running(service):
                # Each service leads a process group of its own.
                with suppress(ProcessLookupError):
                    os.killpg(pids[service], number)

    def _last_lines(self, service: str) -> str:
        file = self._folder.log(service)
        lines = file.read_text(errors="replace").splitlines()[-_LOG_LINES:] if file.exists() else []
        return f"The end of {file}:\n" + "\n".join(lines)

    def _write(self, known: dict[str, tuple[int, int | None]]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._file)


def _began(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did (0 where there is no /proc); None if it has ended.

    Until its last thread has gone, a process that is ending still holds its port.
    """
    try:
        if not Path("/proc/self/stat").exists():
            os.kill(pid, 0)
            return 0
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = os.listdir(f"/proc/{pid}/task")
    except (ProcessLookupError, FileNotFoundError):
        return None
    return None if fields[0] == "Z" and len(threads) == 1 else int(fields[19])


def tie(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes the service: ask the kernel for SIGKILL at its parent's end."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before the kernel was asked.
        if os.getppid() != parent:
            os._exit(1)

    return ask
