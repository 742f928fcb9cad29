"""Run: a founded network from no process to every service ready."""

from __future__ import annotations

from devnet.network.establish import admit, deploy, issue
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.processes import Processes

MEMBERS_SERVICES = tuple(service for service in SERVICES if service != CHAIN)


def run(folder: NetworkFolder, processes: Processes) -> None:
    """Start the chain, put what is missing on it, start the others; return when all are ready. Again after any stop.

    Raises NotRunning with the log of what did not start.
    """
    processes.start([CHAIN])
    processes.wait([CHAIN])
    client = folder.chain()
    deploy(folder, client)
    # They take seconds to load, in which the council can work.
    processes.start(MEMBERS_SERVICES)
    admit(folder, client)
    issue(folder, client)
    processes.wait(MEMBERS_SERVICES)
