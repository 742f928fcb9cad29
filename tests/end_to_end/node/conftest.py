"""One network of real processes for all tests of the node in this folder, and the ways to look at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, TypeVar

import httpx2
import pytest
from sqlalchemy import text

from contracts.chain.client import ChainClient
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.participants import Participants
from devnet.network import cast
from devnet.network.api import Apis, NodeApi, Problem, Standing
from devnet.network.folder import NetworkFolder
from devnet.network.found import found
from devnet.network.nursery import ForkedProcesses
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, Merchant, open_account, welcome
from devnet.network.processes import Processes
from devnet.network.run import run
from serving.client import Peer, PeerClient
from serving.keys import open_message_key
from serving.messages import Messenger
from tests import databases
from tests.forks import nursery

PAYMENT_LIFETIME, QUOTE_LIFETIME, HOLD_LIFETIME = 10, 20, 30
PATIENCE = 40.0
RESEMBLING = Customer("joseph-koney", "Joseph Koney", "SG", "")
"""One letter more than an entry of the sanctions list has: held, not refused."""
UNTOUCHED = Customer("joseph-koney-2", RESEMBLING.name, "SG", "")
"""The same name, with a held payment that no officer ever looks at."""

Found = TypeVar("Found")


@dataclass
class Stage:
    """The network, and what is started with it because it takes its time to end."""

    folder: NetworkFolder
    processes: Processes
    apis: Apis
    codes: dict[str, str]
    chain: ChainClient
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=20.0, trust_env=False))
    numbers: Iterator[int] = field(default_factory=count)
    untouched: str = ""
    """The payment of UNTOUCHED."""
    old_quote: str = ""
    """A quote of the first Thai customer that nobody uses until it has expired."""

    def payer(self, country: str) -> Customer:
        return next(each for each in CUSTOMERS if each.country == country)

    def shop(self, country: str) -> Merchant:
        return next(each for each in MERCHANTS if each.country == country)

    def quote(self, payer: Customer, shop: Merchant, amount: int) -> str:
        return self.apis.nodes[payer.country].quote(payer.id, payer.owner, self.codes[shop.id], amount).id

    def start(self, payer: Customer, shop: Merchant, amount: int, key: str) -> str:
        """The UETR of a payment that was accepted."""
        return self.apis.nodes[payer.country].pay(self.quote(payer, shop, amount), payer.owner, key)

    def end(self, payer: Customer, uetr: str) -> Standing:
        return self.apis.nodes[payer.country].payment(uetr, payer.owner, wait=PATIENCE)

    def settle(self, payer: Customer, shop: Merchant, amount: int, key: str) -> Standing:
        ended = self.end(payer, self.start(payer, shop, amount, key))
        assert ended.status == "settled", ended
        return ended

    def rows(self, service: str, query: str) -> list[Any]:
        """What stands in a service's database, without writing to it."""
        with databases.looking(self.folder.database(service)) as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def column(self, query: str) -> list[Any]:
        """The first column of what stands in the databases of all three nodes."""
        return [row[0] for each in cast.INSTITUTIONS for row in self.rows(each.node, query)]

    def node(self, country: str) -> NodeApi:
        return self.apis.nodes[country]

    def fresh(self) -> int:
        """A number that was not given before."""
        return next(self.numbers)

    def send(self, method: str, country: str, path: str, who: str, scope: str, **options: Any) -> httpx2.Response:
        """Whatever a node answers to a caller with a good token."""
        headers = {"Authorization": f"Bearer {self.node(country).token(who, scope)}"} | options.pop("headers", {})
        return self.http.request(method, self.node(country).url + path, headers=headers, **options)

    def restart(self, service: str) -> None:
        """Stop a service in order and start it again, as after a change of its settings."""
        self.processes.stop([service])
        self.processes.start([service])
        self.processes.wait([service])

    def messenger(self, slug: str) -> Messenger:
        return _messenger(self, slug)

    def peer(self, country: str) -> Peer:
        """Where the node of a country answers other institutions."""
        return Peer(self.node(country).account, self.node(country).url)

    def calls(self, slug: str) -> PeerClient:
        """Asks others as this institution."""
        return PeerClient(self.messenger(slug), timeout=20.0)

    __hash__ = object.__hash__


@cache
def _messenger(stage: Stage, slug: str) -> Messenger:
    folder = stage.folder
    directory = ChainKeyDirectory(Participants(stage.chain, folder.network.contracts.participants.address))
    return Messenger(
        folder.plan.accounts[slug], open_message_key(folder.key(slug, "message"), folder.password), directory
    )


def until(condition: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """What `condition` gives once it gives something."""
    end = time.monotonic() + patience
    while not (found_something := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
    return found_something


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Status and ISO reason of a call that is refused."""
    with pytest.raises(Problem) as refused:
        call()
    return refused.value.status, refused.value.iso_reason


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("node") / "network"
    folder = found(path, PAYMENT_LIFETIME, heartbeat=1.0, hold_lifetime=HOLD_LIFETIME, server=databases.server())
    with folder.settings(cast.PROVIDER_BRIDGE).open("a") as settings:
        settings.write(f"quote_lifetime = {QUOTE_LIFETIME}\n")
    processes = ForkedProcesses(folder, tied=True, nursery=nursery())
    try:
        run(folder, processes)
        apis = Apis.of(folder)
        made = Stage(folder, processes, apis, dict(welcome(apis)), folder.chain())
        for customer in (RESEMBLING, UNTOUCHED):
            open_account(apis.nodes["SG"], customer)
        made.untouched = made.start(UNTOUCHED, made.shop("CN"), 2_000, "untouched")
        made.old_quote = made.quote(made.payer("TH"), made.shop("CN"), 2_000)
        yield made
        made.http.close()
        apis.close()
    finally:
        processes.stop_all()
