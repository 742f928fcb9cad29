"""Turning this process into one that has neither network nor database, so that a proof visibly needs neither."""

from __future__ import annotations

import sys

_REFUSED_EVENTS = (
    "socket.",
    "sqlite3.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.",
    "ctypes.dlopen",
    "urllib.",
    "http.",
)
_REFUSED_MODULES = frozenset(
    {"web3", "sqlalchemy", "pysqlite3", "sqlite3", "psycopg", "fastapi", "httpx", "httpx2", "requests", "urllib3"}
    | {"aiohttp", "websockets", "uvicorn", "_sqlite3"}
)


class OfflineViolation(RuntimeError):
    """This process gave up network and databases, and something asked for one."""


def go_offline() -> None:
    """Refuse, for the rest of this process, sockets, databases, other programs and the modules that use them.

    It cannot be undone (PEP 578: an audit hook stays). Raises OfflineViolation if such a module is loaded already.
    """
    if loaded := _REFUSED_MODULES & sys.modules.keys():
        raise OfflineViolation(f"already loaded: {', '.join(sorted(loaded))}")
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(_REFUSED_EVENTS):
        raise OfflineViolation(f"{event} was refused: this process is offline")
    if event == "import" and str(arguments[0]).partition(".")[0] in _REFUSED_MODULES:
        raise OfflineViolation(f"the module {arguments[0]} was refused: this process is offline")
