"""Two processes of one node on one PostgreSQL database: each takes payments and moves them, none is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from devnet.network import cast
from devnet.network.api import NodeApi
from devnet.network.found import free_ports
from devnet.network.processes import tie
from tests import databases, plain_http
from tests.end_to_end import load
from tests.end_to_end.load import Load, Stage, conclude

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
THAI = cast.institution("TH")
WALLETS = 4


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("two") / "network", payment_lifetime=15) as stage:
        yield stage


class Second:
    """Another process of a service: the same settings but for the port."""

    def __init__(self, stage: Stage, service: str, port: int) -> None:
        self.url, self.log = f"http://127.0.0.1:{port}", stage.folder.log(f"{service}-second")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                stage.processes.command(service),
                cwd=stage.folder.path,
                env=os.environ | {"PYTHONPATH": str(ROOT), "FEIQIAN_PORT": str(port)},
                stdout=log,
                stderr=log,
                preexec_fn=tie(os.getpid()),
            )

    def wait(self) -> None:
        load.await_equal(self._ready, True, load.PATIENCE)

    def _ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            return plain_http.get(f"{self.url}/ready").status_code == 200
        except httpx2.HTTPError:
            return False

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait()


@contextmanager
def second(stage: Stage) -> Iterator[tuple[Second, Stage]]:
    """A second Thai node and compliance beside the first; the stage as those see it who call the second node."""
    ports = iter(free_ports().values())
    node, compliance = Second(stage, THAI.node, next(ports)), Second(stage, THAI.compliance, next(ports))
    try:
        node.wait()
        compliance.wait()
        plan = replace(
            stage.folder.plan, ports={**stage.folder.plan.ports, THAI.node: int(node.url.rpartition(":")[2])}
        )
        api = NodeApi(replace(stage.folder, plan=plan), THAI)
        yield node, replace(stage, apis=replace(stage.apis, nodes={**stage.apis.nodes, "TH": api}))
        api.close()
    finally:
        for each in (node, compliance):
            each.end(signal.SIGTERM)


def check_all(stage: Stage, scratch: Path) -> None:
    load.check_sums(stage)
    load.check_payment_versus_payment(stage)
    load.check_exactly_once(stage, scratch)
    load.check_customers_paid_what_settled(stage)


def settled(loads: list[Load], stage: Stage) -> int:
    orders = [order for each in loads for order in each.orders]
    stage.orders += orders
    for order in orders:
        conclude(stage, order)
    return Counter(stage.ended[order.uetr].status for order in orders if order.uetr)["settled"]


def test_both_take_and_settle_payments_and_nothing_is_lost_or_doubled(stage: Stage, tmp_path: Path) -> None:
    with second(stage) as (_, other), Load(stage, 1, WALLETS) as first, Load(other, 2, WALLETS) as more:
        first.await_settled(8)
        more.await_settled(8)
    assert settled([first, more], stage) >= 16
    check_all(stage, tmp_path)
    with databases.looking(stage.folder.database(THAI.node)) as connection:
        workers = connection.execute(text("SELECT count(*) FROM door.writers WHERE generation > 10")).scalar_one()
    assert workers == 2


def test_what_a_killed_worker_had_claimed_the_other_goes_on_with(stage: Stage, tmp_path: Path) -> None:
    """The one that forms batches is killed under load, whichever it is."""
    with second(stage) as (node, other), Load(stage, 3, WALLETS) as first, Load(other, 4, WALLETS) as more:
        first.await_settled(4)
        stage.processes.kill([THAI.node])
        more.await_settled(6)
        stage.processes.start([THAI.node])
        stage.processes.wait([THAI.node])
        node.end(signal.SIGKILL)
        first.await_settled(6)
    settled([first, more], stage)
    check_all(stage, tmp_path)
