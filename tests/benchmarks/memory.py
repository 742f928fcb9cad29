"""The memory of a node's process after many payments: it accepts and ends them by its own code, as fast as it can.

A real node on a real chain, whose compliance is away: what it accepts is certainly unsettled once its deadline is past
in a final block. Prices are laid into its book beforehand, because no provider is asked; its room for
payments under way holds them all.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from contracts.terms.identifiers import new_uetr
from devnet.network import cast
from devnet.network.api import NodeApi
from devnet.network.establish import admit, deploy, issue
from devnet.network.folder import CHAIN, NetworkFolder
from devnet.network.found import found
from devnet.network.people import CUSTOMERS
from devnet.network.processes import Processes
from nodes.quotes import repository as quotes
from serving.database import Database
from tests.benchmarks.tables import Table, verdict
from tests.benchmarks.watch import memory_mib
from tests.databases import looking
from tests.node_door import price

PLACE = Path("build/bench")
TARGET = 250.0
"""MiB that a node's process may have resident."""
HOME = cast.institution("TH")
OWNER = "platform"
SCOPES = "payments:write payments:read"
PERSON = next(each for each in CUSTOMERS if each.country == HOME.country)
AMOUNT = 1_000
LIST = 1_000
"""The longest bulk that a node takes."""
PAGES = 50
_PATIENCE = 1_200


@dataclass(frozen=True)
class House:
    """A node that runs, with nobody behind it but the chain."""

    folder: NetworkFolder
    processes: Processes
    http: httpx2.Client

    def resident(self) -> float:
        """MiB."""
        return memory_mib({HOME.node: self.processes.pids()[HOME.node]})[HOME.node]

    def count(self, where: str) -> int:
        with looking(self.folder.database(HOME.node)) as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM payments WHERE {where}").scalar_one())


def memory(payments: int) -> Table:
    """Accept and end so many payments, a multiple of LIST."""
    with _house(payments) as house:
        before = house.resident()
        for first in range(0, payments, LIST):
            _accept(house, first)
        accepted = house.resident()
        _until(lambda: house.count("state NOT IN ('expired')") == 0)
        for _ in range(PAGES):
            assert house.http.get("/v1/payments", params={"limit": 100}).is_success
        after = house.resident()
        assert house.count("state = 'expired'") == payments, "every payment was accepted, and has ended"
    rows = (
        ("begun", before, ""),
        (f"{payments:,} payments accepted", accepted, ""),
        (f"{payments:,} payments ended, lists read", after, verdict(after, TARGET)),
    )
    note = "One process, SQLite; payments are accepted in bulks of 1,000 and end by their deadline in a final block."
    return Table("A node's memory", ("", "MiB resident", "target"), rows, note)


def _accept(house: House, first: int) -> None:
    items = [{"quote_id": f"quote-{number}", "idempotency_key": new_uetr()} for number in range(first, first + LIST)]
    answer = house.http.post("/v1/payments/bulk", json={"payments": items})
    assert answer.is_success, answer.text
    assert answer.text.count('"uetr"') == LIST, f"not every payment was accepted: {answer.text[-400:]}"


@contextmanager
def _house(payments: int) -> Iterator[House]:
    PLACE.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="memory-", dir=PLACE))
    folder = found(path)
    with folder.settings(HOME.node).open("a") as settings:
        settings.write(f"room = {payments}\n")
    processes = Processes(folder, tied=True)
    try:
        processes.start([CHAIN])
        processes.wait([CHAIN])
        client = folder.chain()
        deploy(folder, client)
        admit(folder, client)
        issue(folder, client)
        processes.start([HOME.node])
        processes.wait([HOME.node])
        with closing(NodeApi(folder, HOME)) as api:
            api.open_account("customer", OWNER, PERSON.party)
            api.deposit("customer", cast.prefunding(HOME.currency), "first")
        processes.stop([HOME.node])
        _show_prices(folder, payments)
        processes.start([HOME.node])
        processes.wait([HOME.node])
        token = folder.tokens(HOME.node).issue(OWNER, SCOPES.split(), _PATIENCE)
        headers = {"Authorization": f"Bearer {token}"}
        url = folder.url(HOME.node)
        with httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
            yield House(folder, processes, http)
    finally:
        processes.stop_all()
        shutil.rmtree(path)


def _show_prices(folder: NetworkFolder, count: int) -> None:
    """Prices that the platform was shown, as the stopped node would have remembered them."""
    expires = int(time.time()) + 2 * _PATIENCE
    given = {"caller": OWNER, "account": "customer", "contract": folder.network.contracts.settlement.address}
    given["creditor_agent"] = folder.plan.accounts[cast.institution("CN").slug]
    where = folder.database(HOME.node)
    with closing(Database(where, folder.databases)) as database:
        for first in range(0, count, LIST):
            names = [f"quote-{number}" for number in range(first, first + LIST)]
            rows = [price(name, "malee", AMOUNT, expires) | given for name in names]
            database.write(lambda connection, rows=rows: quotes.add_all(connection, rows))


def _until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < end, "payments did not end in time"
        time.sleep(1)
