"""A service restored from a backup: it signs nothing for one batch lifetime, then catches up from chain and peers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import URL

from contracts.chain.events import BatchSettled, events_between
from contracts.chain.settlement import Settlement
from contracts.terms.batch import MAX_BATCH_LIFETIME, Batch
from devnet.network import cast
from devnet.network.api import NodeApi, Problem
from devnet.network.folder import CHAIN
from devnet.network.people import CUSTOMERS, MERCHANTS
from devnet.network.traffic import Purchase
from nodes.verify.service import verify
from tests import databases, plain_http
from tests.end_to_end import load
from tests.end_to_end.load import Load, Order, Stage, conclude

THAI, SINGAPOREAN = cast.institution("TH"), cast.institution("SG")
pytestmark = pytest.mark.timeout(600)
PATIENCE = 60.0
WALLETS = 4


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("restore") / "network") as stage:
        yield stage


def back_up(stage: Stage, service: str) -> Path:
    """A copy of the database while the service runs, as an operator makes it."""
    return databases.back_up(stage.folder.database(service), stage.folder.path / f"{service}.backup")


def restore(stage: Stage, service: str, copy: Path, in_place: bool) -> None:
    databases.restore(stage.folder.database(service), copy, in_place)


@dataclass(frozen=True)
class Settled:
    """A batch and the time (seconds) of the block that it settled in."""

    batch: Batch
    at: int


def settled_since(stage: Stage, block: int) -> list[Settled]:
    contracts, chain = stage.folder.network.contracts, stage.chain
    settlement = Settlement(chain, contracts.settlement.address)
    newest = chain.final_header().number
    found = []
    for event in events_between(chain, contracts, block + 1, newest) if newest > block else ():
        if isinstance(event, BatchSettled):
            signed = settlement.settled(event)
            assert signed is not None
            found.append(Settled(signed.batch, chain.header_at(event.origin.block_number).timestamp))
    return found


def settled_between(stage: Stage, block: int, *countries: str) -> bool:
    accounts = {stage.apis.nodes[country].account for country in countries}
    return any(accounts <= set(each.batch.members) for each in settled_since(stage, block))


def purchase(home: str, abroad: str, minor: int) -> Purchase:
    payer = next(each for each in CUSTOMERS if each.country == home)
    return Purchase(payer, next(each for each in MERCHANTS if each.country == abroad), minor, printed=True)


def settle(stage: Stage, wanted: Purchase) -> None:
    """One more payment that settles. On a busy machine some may expire before."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        order = Order(wanted, stage.quote(wanted), f"restore-{time.monotonic_ns()}")
        stage.orders.append(order)
        conclude(stage, order)
        if stage.ended[order.uetr].status == "settled":
            return
    raise AssertionError(f"nothing settles: {stage.ended[order.uetr]}")


@contextmanager
def standing_still(stage: Stage) -> Iterator[None]:
    """No chain time passes meanwhile."""
    chain = stage.processes.pids()[CHAIN]
    os.kill(chain, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(chain, signal.SIGCONT)


def knows_it_was_restored(stage: Stage, service: str) -> bool:
    """Whether it has noted so beside its database. It has asked the chain for its newest block before that."""
    where = stage.folder.database(service)
    name = where.database if isinstance(where, URL) else where.name
    return any(file.read_bytes()[-1] == 1 for file in stage.folder.databases.glob(f"{name}.generation*"))


def refused_as_restored(stage: Stage, wanted: Purchase) -> None:
    with pytest.raises(Problem) as refusal:
        stage.quote(wanted)
    assert refusal.value.status == 503
    assert "restored from a backup" in refusal.value.detail
    ready = plain_http.get(f"{stage.apis.nodes['TH'].url}/ready")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    assert "backup" in ready.json()["missing"]


def await_open(stage: Stage, country: str) -> None:
    """Until the node takes payments again; meanwhile it says 503 and from when on it will."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            stage.quote(purchase(country, "CN", 5_000))
        except Problem as problem:
            if problem.status != 503:
                raise
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the node stays closed")


def breaks(node: NodeApi) -> list[str]:
    return [each for line in node.book() for each in line["breaks"]]


def check_never_settles(stage: Stage, order: Order) -> None:
    """What the lost book knew of a payment without effect is gone: perhaps who refused it, perhaps all of it."""
    try:
        assert stage.standing(order, PATIENCE).status in ("expired", "refused")
    except Problem as problem:
        if problem.status != 404:
            raise


def check_all(stage: Stage, scratch: Path) -> None:
    load.check_sums(stage)
    load.check_payment_versus_payment(stage)
    load.check_exactly_once(stage, scratch)
    load.check_customers_paid_what_settled(stage)
    assert not any(breaks(node) for node in stage.apis.nodes.values())


def test_a_node_restored_in_place_is_quiet_and_then_whole(stage: Stage, tmp_path: Path) -> None:
    """Payments went on in all directions after the backup; after the restore its peers go on without it."""
    with Load(stage, 1, WALLETS) as before:
        before.await_acknowledged(8)
        copy = back_up(stage, THAI.node)
        before.await_acknowledged(16)
    if not databases.ON_POSTGRESQL:  # whose copy is no database before it is restored
        assert verify(copy).broken == []
    stage.orders += before.orders
    for order in before.orders:
        conclude(stage, order)
    stage.processes.kill([THAI.node])
    restore(stage, THAI.node, copy, in_place=True)
    killed = stage.chain.final_header()
    with Load(stage, 2, 1) as meanwhile:
        load.await_equal(lambda: bool(settled_since(stage, killed.number)), True, PATIENCE)  # the others go on
        start = stage.chain.final_header()
        stage.processes.start([THAI.node])
        load.await_equal(lambda: knows_it_was_restored(stage, THAI.node), True, PATIENCE)
        with standing_still(stage):  # or its quiet might be over before it answers
            stage.processes.wait([THAI.node], path="/health")
            refused_as_restored(stage, purchase("TH", "CN", 5_000))
        await_open(stage, "TH")
    stage.orders += meanwhile.orders
    for order in meanwhile.orders:
        conclude(stage, order)
    for home, abroad in (("TH", "CN"), ("SG", "TH")):
        settle(stage, purchase(home, abroad, 5_000))

    api = stage.apis.nodes["TH"]
    quiet_until = start.timestamp + MAX_BATCH_LIFETIME
    since = settled_since(stage, killed.number)
    assert not [each for each in since if each.at <= quiet_until and api.account in each.batch.members]
    assert [each for each in since if each.at > quiet_until and api.account in each.batch.members]
    for order in filter(lambda order: order.uetr, before.orders):
        shown = stage.ended[order.uetr]
        if order.payer.country == "TH" and shown.status != "settled":
            check_never_settles(stage, order)
        else:
            found = stage.standing(order, 0)
            assert found == replace(shown, detail=found.detail)
    check_all(stage, tmp_path)
    assert "lost payments are booked" in stage.folder.log(THAI.node).read_text()


def test_two_institutions_restored_whole_from_other_files_while_a_peer_is_away(stage: Stage, tmp_path: Path) -> None:
    """The Thai bank's and the FX provider's machines are lost under load, node or bridge and compliance alike."""
    services = [THAI.node, THAI.compliance, cast.PROVIDER_BRIDGE, cast.PROVIDER_COMPLIANCE]
    with Load(stage, 3, WALLETS) as traffic:
        traffic.await_acknowledged(8)
        copies = {service: back_up(stage, service) for service in services}
        copied = stage.chain.final_header().number
        load.await_equal(lambda: settled_between(stage, copied, "TH", "SG"), True, PATIENCE)
        traffic.await_acknowledged(8)
    stage.processes.kill([*services, SINGAPOREAN.node])  # payments of every state are under way
    for service, copy in copies.items():
        restore(stage, service, copy, in_place=False)
    stage.processes.start(services)
    stage.processes.wait(services, path="/health")

    api = stage.apis.nodes["TH"]
    load.await_equal(lambda: bool(breaks(api)), True, PATIENCE)
    await_open(stage, "TH")
    assert breaks(api), "what the Thai bank paid to Singapore cannot be known yet"
    stage.processes.start([SINGAPOREAN.node])
    stage.processes.wait([SINGAPOREAN.node])
    load.await_equal(lambda: breaks(api), [], PATIENCE)
    _conclude_after_loss(stage, traffic.orders)
    for home, abroad in (("TH", "SG"), ("CN", "TH")):
        settle(stage, purchase(home, abroad, 1_000))
    check_all(stage, tmp_path)


def _conclude_after_loss(stage: Stage, orders: list[Order]) -> None:
    """Payments that the lost machine had accepted are settled, or gone as if they had never been."""
    gone = set()
    for order in orders:
        if order.payer.country != "TH":
            conclude(stage, order)
        elif order.uetr:
            try:
                stage.ended[order.uetr] = stage.standing(order, PATIENCE)
            except Problem as problem:
                if problem.status != 404:
                    raise
                gone.add(order.uetr)
    assert not gone & {terms.uetr for terms in load.leaves_of(stage)}
    stage.orders += [order for order in orders if order.uetr not in gone]
