"""PostgreSQL's postmaster killed twenty times under load: what any wallet heard of its payment is there, once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, func, select

from contracts.terms.payment import State
from nodes.app import MIGRATIONS
from nodes.payments.tables import payments
from serving.database import Database
from serving.migrations import migrate
from tests import node_door
from tests.postgresql import running
from tests.power import bank
from tests.power.bank import Heard

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(3600)]

KILLS, MORE = 20, 8
"""How often, and how many answers the wallets hear between one kill and the next."""
PATIENCE = 120.0


class Wallets:
    """Threads that pay without pause until they are told to stop; all that they heard."""

    def __init__(self, database: Database) -> None:
        self._node, self._stopping = node_door.node_over(database), threading.Event()
        self.heard: list[Heard] = []
        self._more = threading.Condition()
        self._pool = ThreadPoolExecutor(bank.WALLETS)
        self._shopping = [self._pool.submit(self._shop, wallet) for wallet in range(bank.WALLETS)]

    def await_heard(self, more: int) -> None:
        with self._more:
            enough = len(self.heard) + more
            assert self._more.wait_for(lambda: len(self.heard) >= enough, PATIENCE), "nobody is answered any more"

    def stop(self) -> None:
        self._stopping.set()
        for each in self._shopping:
            each.result()
        self._node.bell.close()

    def _shop(self, wallet: int) -> None:
        number = 0
        while not self._stopping.is_set():
            bank.pay(self._node, f"{wallet}-{number}", number, self._tell)
            number += 1

    def _tell(self, key: str, uetr: str, state: State | None) -> None:
        with self._more:
            self.heard.append(Heard(key, uetr, state, b""))
            self._more.notify_all()


def test_no_payment_that_was_acknowledged_is_lost_or_doubled_when_the_postmaster_is_killed(tmp_path: Path) -> None:
    with running() as server:
        where = URL.create("postgresql", "feiqian", database="postgres", query={"host": str(server.folder)})
        with closing(Database(where, tmp_path)) as database:
            migrate(database, MIGRATIONS)
            database.write(lambda connection: node_door.furnish(connection, node_door.RICH))
            wallets = Wallets(database)
            for _ in range(KILLS):
                wallets.await_heard(MORE)
                server.kill()
                server.start()
            wallets.await_heard(MORE)
            wallets.stop()
        with closing(Database(where, tmp_path)) as database:
            assert not database.restored
            assert bank.wrong_with(database, wallets.heard, len(wallets.heard)) == ""
            with database.read() as connection:
                stored = connection.execute(select(func.count()).select_from(payments)).scalar_one()
    keys = Counter(each.key for each in wallets.heard)
    assert stored == len(keys)
    assert set(keys.values()) == {2}, "each was told twice: accepted, and how it ended"
