"""A network of real processes to measure: founded afresh, with many customers who have money, stopped at the end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contracts.terms.money import currency, parse_decimal
from devnet.network import cast
from devnet.network.api import Apis, NodeApi
from devnet.network.cast import INSTITUTIONS, Institution
from devnet.network.folder import SERVICES, NetworkFolder
from devnet.network.found import found
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, currency_of
from devnet.network.processes import Processes
from devnet.network.run import run
from tests.benchmarks.wallets import Wallet

PLACE = Path("build/bench")
"""Beside the figures: a temporary folder may lie in memory, where a write to the disk costs nothing."""
NODES = tuple(service for service, kind in SERVICES.items() if kind == "node")
QUOTE_LIFETIME = 600
"""Seconds: prices for the measurement of accepting are gathered beforehand. Nothing else is set for the benchmark."""
_SERVE_ONE_BY_ONE = "import nodes.batches.form as form; form.MAX_PAYMENTS = 1; import feiqian; feiqian.main()"


class _OneByOne(Processes):
    """Nodes whose bound on a batch is one payment; all else is as it is."""

    def command(self, service: str) -> list[str]:
        command = super().command(service)
        if service not in NODES:
            return command
        return [sys.executable, "-P", "-c", _SERVE_ONE_BY_ONE, *command[4:]]


@dataclass
class City:
    """A network that runs; `wallets` by country."""

    folder: NetworkFolder
    processes: Processes
    apis: Apis
    wallets: dict[str, list[Wallet]] = field(default_factory=dict)
    platforms: list[Wallet] = field(default_factory=list)
    """The accounts of one caller in each country, who pays for many customers."""

    @property
    def everybody(self) -> list[Wallet]:
        return [wallet for country in self.wallets.values() for wallet in country]

    @contextmanager
    def room_for(self, node: str, payments: int) -> Iterator[None]:
        """One node takes so many payments though none settles: for what does nothing but accept."""
        settings = self.folder.settings(node)
        usual = settings.read_text()
        self.processes.stop((node,))
        settings.write_text(f"{usual}room = {payments}\n")
        self._start((node,))
        try:
            yield
        finally:
            self.processes.stop((node,))
            settings.write_text(usual)
            self._start((node,))

    def batch_one_by_one(self) -> None:
        """Start the nodes again, so that they put one payment in a batch."""
        self.processes.stop(NODES)
        self.processes = _OneByOne(self.folder, tied=True)
        self._start(NODES)

    def _start(self, services: Sequence[str]) -> None:
        self.processes.start(services)
        self.processes.wait(services)


@contextmanager
def city(customers: int) -> Iterator[City]:
    """A network with so many customers in each country, which runs while the block does."""
    PLACE.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="network-", dir=PLACE))
    folder = found(path)
    with folder.settings(cast.PROVIDER_BRIDGE).open("a") as settings:
        settings.write(f"quote_lifetime = {QUOTE_LIFETIME}\n")
    here = City(folder, Processes(folder, tied=True), Apis.of(folder))
    try:
        run(folder, here.processes)
        shops = _open_shops(here.apis)
        with ThreadPoolExecutor(max_workers=8) as pool:
            for each in INSTITUTIONS:
                here.wallets[each.country] = _wallets(pool, here.apis, each, shops, customers)
                here.platforms += _wallets(pool, here.apis, each, shops, customers, "platform")
        yield here
    finally:
        here.apis.close()
        here.processes.stop_all()
        shutil.rmtree(path)


def _open_shops(apis: Apis) -> dict[str, list[tuple[str, int]]]:
    """By country: the text of each merchant's printed code, and the least that it asks for."""
    shops: dict[str, list[tuple[str, int]]] = {each.country: [] for each in INSTITUTIONS}
    for merchant in MERCHANTS:
        code = apis.nodes[merchant.country].register_merchant(merchant.registration)
        least = parse_decimal(merchant.least, currency(currency_of(merchant.country)))
        shops[merchant.country].append((code, least))
    return shops


def _wallets(
    pool: ThreadPoolExecutor,
    apis: Apis,
    home: Institution,
    shops: dict[str, list[tuple[str, int]]],
    customers: int,
    platform: str = "",
) -> list[Wallet]:
    """Customers of an institution, each with a caller's token of its own, or all with the platform's."""
    node, port = apis.nodes[home.country], int(apis.nodes[home.country].url.rpartition(":")[2])
    people = _people(home.country, customers, platform or "customer")
    money = cast.prefunding(home.currency) // 4 // customers
    list(pool.map(lambda person: _open(node, person, platform or person.owner, money), people))
    abroad = [shop for country, all_shops in shops.items() if country != home.country for shop in all_shops]
    tokens = [node.token(platform or person.owner, "payments:write payments:read") for person in people]
    return [Wallet(port, person.id, token, abroad) for person, token in zip(people, tokens, strict=True)]


def _people(country: str, count: int, named: str) -> Sequence[Customer]:
    """Customers with the cast's names, given names and family names anew together: none is on a list."""
    known = [each for each in CUSTOMERS if each.country == country]
    names = [(first.name.split(), last.name.split()) for first in known for last in known]
    birthdays = [each.birth_date for each in known]
    people = []
    for number in range(count):
        first, last = names[number % len(names)]
        name, born = " ".join([*first[:-1], last[-1]]), birthdays[number % len(birthdays)]
        people.append(Customer(f"{named}-{number}", name, country, born))
    return people


def _open(node: NodeApi, person: Customer, owner: str, money: int) -> None:
    node.open_account(person.id, owner, person.party)
    node.deposit(person.id, money, f"first-deposit-{person.id}")
