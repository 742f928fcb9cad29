"""A throw-away PostgreSQL server for one command: `python -m tests.postgresql COMMAND...`.

The command finds the server's URL in FEIQIAN_TEST_POSTGRESQL. The server answers on a Unix socket in its own folder and
goes with the command, however that ends: a keeper in another session waits for the end of a pipe that only this process
holds. PostgreSQL refuses to run as root; as root it runs as `nobody`.

It syncs as in earnest, but lies in memory where there is room: each test has a database of its own, three hundred files
each, and what kill -9 leaves behind is the same there.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devnet.network.processes import tie

VARIABLE = "FEIQIAN_TEST_POSTGRESQL"
USER = "feiqian"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": 400,
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "max_pred_locks_per_transaction": 1024,
    "autovacuum_naptime": "10min",
}
_PATIENCE = 60.0
_ROOM = 4 * 1024**3
_STILL_ENDING = "pre-existing shared memory block"
"""What a new server says while a killed one's children have not noticed yet."""


def programs() -> Path | None:
    """The folder of the newest server's programs, None when there is none on this machine."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    if found:
        folders.append(Path(found).resolve().parent)
    return next(
        (path for path in reversed(folders) if (path / "initdb").exists() and (path / "postgres").exists()), None
    )


class Server:
    """One server in one folder: made, started, killed, started again."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self._binaries = folder, binaries
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where databases are, without the name of one."""
        return f"postgresql://{USER}@/?host={self.folder}"

    def make(self) -> None:
        """An empty server, owned by whoever runs it."""
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        command = [self._binaries / "initdb", "-D", self.folder / "data", "-U", USER, "-E", "UTF8"]
        self._run([*command, "--locale=C.UTF-8", "--auth=trust", "--no-sync"])
        with (self.folder / "data" / "pg_hba.conf").open("r+") as file:
            rules = file.read()
            file.seek(0)
            file.write("local all +locked scram-sha-256\n" + rules)

    def start(self) -> None:
        """Until it answers. Raises RuntimeError with the end of its log."""
        self._launch()
        assert self._process is not None
        end = time.monotonic() + _PATIENCE
        while self._call([self._binaries / "pg_isready", "-q", "-h", self.folder, "-U", USER]) != 0:
            ended, said = self._process.poll() is not None, (self.folder / "log").read_text()[-2000:]
            if time.monotonic() > end or (ended and _STILL_ENDING not in said.rpartition("LOG:")[2]):
                raise RuntimeError(said)
            if ended:
                self._launch()
            time.sleep(0.05)

    def _launch(self) -> None:
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        command = [self._binaries / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _unprivileged(command), stdout=log, stderr=log, cwd="/", start_new_session=True
            )

    def kill(self) -> None:
        """SIGKILL for the postmaster; its children end when they notice."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """At once: nothing is worth keeping."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def _run(self, command: Sequence[object]) -> None:
        done = subprocess.run(_unprivileged(command), capture_output=True, text=True, check=False, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    def _call(self, command: Sequence[object]) -> int:
        return subprocess.run([str(part) for part in command], check=False, cwd="/").returncode


def _unprivileged(command: Sequence[object]) -> list[str]:
    plain = [str(part) for part in command]
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *plain] if os.geteuid() == 0 else plain


def _in_memory() -> Path | None:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


@contextmanager
def running() -> Iterator[Server]:
    """A server that answers, and is gone with its folder afterwards. Raises RuntimeError where none is installed."""
    binaries = programs()
    if binaries is None:
        raise RuntimeError("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="feiqian-postgresql-", dir=_in_memory()))
    folder.chmod(0o755)
    server = Server(folder, binaries)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def keep(lifeline: int, ready: int) -> None:
    """Run a server until the other end of the pipe `lifeline` is closed; tell its URL to `ready`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with running() as server, os.fdopen(ready, "w") as told:
        told.write(server.url)
        told.close()
        os.read(lifeline, 1)


def main(command: Sequence[str]) -> int:
    if programs() is None:
        print("Skipped: no PostgreSQL server is installed (initdb is neither on PATH nor under /usr/lib/postgresql)")
        return 0
    held, lifeline = os.pipe()[::-1]
    url, ready = os.pipe()
    keeper = [sys.executable, "-m", "tests.postgresql", "--keep", str(lifeline), str(ready)]
    with subprocess.Popen(keeper, pass_fds=(lifeline, ready), start_new_session=True) as kept:
        os.close(lifeline)
        os.close(ready)
        with os.fdopen(url) as told:
            place = told.read()
        try:
            if not place:
                return 1
            tied = tie(os.getpid())
            return subprocess.run(command, env=os.environ | {VARIABLE: place}, check=False, preexec_fn=tied).returncode
        except KeyboardInterrupt:
            return 130
        finally:
            os.close(held)
            kept.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--keep"]:
        keep(int(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
