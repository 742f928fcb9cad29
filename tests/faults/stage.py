"""A network whose parts reach one another only through the proxy: wallets nodes, nodes nodes and the bridge, each its
compliance, and all the chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from devnet.network.api import Apis, NodeApi
from devnet.network.cast import INSTITUTIONS, Institution
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.found import found, free_ports
from devnet.network.people import welcome
from devnet.network.processes import Processes
from devnet.network.run import run
from tests import databases
from tests.end_to_end.load import Stage
from tests.faults.plan import Plan
from tests.faults.proxy import Link, Proxy

PATIENCE = 10.0
"""Seconds that a wallet waits for an answer; as for a standing, beyond the time that it asks for."""


class _Behind(Processes):
    """The chain listens where its link leads; the others have it from their settings."""

    def __init__(self, folder: NetworkFolder, port: int) -> None:
        super().__init__(folder, tied=True)
        self._port, self._shown = str(port), str(folder.plan.ports[CHAIN])

    def command(self, service: str) -> list[str]:
        return [self._port if part == self._shown else part for part in super().command(service)]


class _Wallets(NodeApi):
    """A node as wallets reach it: by a link of their own, with a connection for each request, because on one that got
    out of step nothing would tell them whose answer they read."""

    def __init__(self, folder: NetworkFolder, institution: Institution, port: int) -> None:
        ports = {**folder.plan.ports, institution.node: port}
        super().__init__(replace(folder, plan=replace(folder.plan, ports=ports)), institution)
        self._http.close()
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._http = httpx2.Client(base_url=self.url, timeout=PATIENCE, limits=limits, trust_env=False)


@dataclass(frozen=True)
class Faulty:
    """A network, what is between its parts, and its nodes as wallets reach them, by country."""

    stage: Stage
    proxy: Proxy
    wallets: dict[str, NodeApi]


@contextmanager
def staged(path: Path, plan: Plan, payment_lifetime: int) -> Iterator[Faulty]:
    """A network that runs while the block does; nothing fails until the proxy is told to."""
    folder = found(path, payment_lifetime=payment_lifetime, heartbeat=1.0, server=databases.server())
    behind, beside = _other_ports(folder)
    members = [Link(service, folder.plan.ports[service], behind[service]) for service in SERVICES]
    doors = [Link(f"wallets, {each.node}", beside[each.node], behind[each.node], True) for each in INSTITUTIONS]
    _move(folder, behind)
    proxy, processes = Proxy([*members, *doors], plan), _Behind(folder, behind[CHAIN])
    proxy.start()
    try:
        run(folder, processes)
        apis = Apis.of(folder)
        wallets = {each.country: _Wallets(folder, each, beside[each.node]) for each in INSTITUTIONS}
        yield Faulty(Stage(folder, processes, apis, dict(welcome(apis)), folder.chain()), proxy, dict(wallets))
        for api in wallets.values():
            api.close()
        apis.close()
    finally:
        processes.stop_all()
        proxy.stop()


def _other_ports(folder: NetworkFolder) -> tuple[dict[str, int], dict[str, int]]:
    """Twice a free port for each service, all different from one another and from those that everybody knows."""
    while True:
        behind, beside = free_ports(), free_ports()
        if len({*behind.values(), *beside.values(), *folder.plan.ports.values()}) == 3 * len(SERVICES):
            return behind, beside


def _move(folder: NetworkFolder, behind: dict[str, int]) -> None:
    """Each service listens on a port of its own; under the one that everybody knows there is the proxy."""
    for service in SERVICES:
        if service != CHAIN:
            settings = folder.settings(service)
            moved, count = re.subn(r"(?m)^port = \d+$", f"port = {behind[service]}", settings.read_text())
            assert count == 1
            settings.write_text(moved)
