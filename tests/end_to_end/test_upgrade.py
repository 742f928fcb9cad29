"""Settlement is replaced under load, once with services killed around it: nothing is lost or doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.chain.council import Call, Council
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.settlement import settling_contract
from contracts.terms.identifiers import Address
from devnet.network import auditor, cast
from devnet.network.api import Problem
from devnet.network.cli import app as network_command
from devnet.network.folder import CHAIN
from devnet.network.people import CUSTOMERS, MERCHANTS
from devnet.network.run import MEMBERS_SERVICES, run
from devnet.network.traffic import Purchase
from tests.end_to_end import load
from tests.end_to_end.load import Load, Order, Stage, await_equal, conclude

WALLETS = 6
VICTIMS = [cast.institution("CN").node, cast.institution("TH").compliance, cast.PROVIDER_BRIDGE]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("upgrade") / "network") as stage:
        yield stage


def incumbent(stage: Stage) -> Address:
    return Ledger(stage.chain, stage.folder.network.contracts.ledger.address).settlement()


def log(stage: Stage, service: str) -> str:
    return stage.folder.log(service).read_text()


PAYER = CUSTOMERS[0]
PURCHASE = Purchase(PAYER, next(each for each in MERCHANTS if each.country != PAYER.country), 5_000, printed=True)


def await_settling(stage: Stage) -> None:
    """Until a payment settles: a service may be a final block behind another, which refuses its signature meanwhile."""
    end = time.monotonic() + load.PATIENCE
    while time.monotonic() < end:
        try:
            order = Order(PURCHASE, stage.quote(PURCHASE), f"once-{time.monotonic_ns()}")
        except Problem:
            time.sleep(0.2)
            continue
        stage.orders.append(order)
        conclude(stage, order)
        if stage.ended[order.uetr].status == "settled":
            return
    raise AssertionError("no payment settles")


def upgrade_amid_kills(stage: Stage, seed: int) -> None:
    """`feiqian network upgrade` as a process of its own; kill -9 of three services at any moment of it."""
    command = [sys.executable, "-m", "feiqian", "network", "upgrade", str(stage.folder.path)]
    before = incumbent(stage)
    carrying = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    await_equal(lambda: incumbent(stage) != before or carrying.poll() is not None, True, load.PATIENCE)
    threading.Event().wait(random.Random(seed).uniform(0, 0.4))
    stage.processes.kill(VICTIMS)
    said, _ = carrying.communicate(timeout=load.PATIENCE)
    assert carrying.returncode == 0, said
    run(stage.folder, stage.processes)


def one_of_each(stage: Stage) -> dict[Address, tuple[str, str]]:
    """Country and UETR of a settled payment of each Settlement that settled any."""
    found = {}
    for country, node in stage.apis.nodes.items():
        for each in node.batches():
            transaction, name = bytes.fromhex(each["transaction"][2:]), bytes.fromhex(each["batch_hash"][2:])
            [first, *_] = node.leaves(each)["payments"]
            found[settling_contract(stage.chain, transaction, name)] = country, first["uetr"]
    return found


@pytest.mark.timeout(480)
def test_payments_go_on_through_two_upgrades_and_a_kill(stage: Stage, tmp_path: Path) -> None:
    settlements = [incumbent(stage)]
    with Load(stage, 1, WALLETS) as traffic:
        traffic.await_settled(6)
        carried = CliRunner().invoke(network_command, ["upgrade", str(stage.folder.path)])
        assert carried.exit_code == 0, carried.output
        settlements.append(incumbent(stage))
        assert f"retired {settlements[0]}\nin office {settlements[1]}, from block " in carried.output
        traffic.await_settled(6)
        upgrade_amid_kills(stage, seed=1)
        settlements.append(incumbent(stage))
        traffic.await_settled(6)
    stage.orders += traffic.orders
    for order in traffic.orders:
        conclude(stage, order)
    load.check_sums(stage)
    load.check_payment_versus_payment(stage)
    load.check_exactly_once(stage, tmp_path)
    load.check_customers_paid_what_settled(stage)

    examples = one_of_each(stage)
    assert list(examples.keys() - set(settlements)) == []
    assert len(set(settlements)) == len(examples) == 3
    for settlement, (country, uetr) in examples.items():
        file = tmp_path / f"{settlement}.json"
        file.write_bytes(stage.apis.nodes[country].evidence(uetr))
        verdict = auditor.verify_evidence(stage.folder, file)
        assert verdict.content, verdict.said
        assert settlement in verdict.said
    complete = auditor.check_completeness(stage.folder, tmp_path / "leaves.json")
    assert "Settlement replaced 2 times" in complete.said
    for service in MEMBERS_SERVICES:
        assert settlements[2] in log(stage, service)
        assert '"event": "bug' not in log(stage, service)


def test_services_that_start_after_the_upgrade_sign_for_the_one_in_office(stage: Stage) -> None:
    stage.processes.kill(list(MEMBERS_SERVICES))
    run(stage.folder, stage.processes)
    await_settling(stage)


def test_a_price_from_before_an_upgrade_is_asked_for_anew(stage: Stage) -> None:
    old = Order(PURCHASE, stage.quote(PURCHASE), "before-the-upgrade")
    assert CliRunner().invoke(network_command, ["upgrade", str(stage.folder.path)]).exit_code == 0
    replaced = incumbent(stage)
    await_equal(lambda: replaced in log(stage, cast.institution(PAYER.country).node), True, load.PATIENCE)
    conclude(stage, old)
    assert "before the network's contracts were upgraded" in old.refused
    await_settling(stage)


def test_a_settlement_of_another_release_halts_every_service(stage: Stage) -> None:
    """Last in this file. Here it is another network's history that it continues."""
    contracts, client = stage.folder.network.contracts, stage.chain
    creation = settlement_creation(addresses_of(contracts), contracts.settlement.address)
    other = stage.folder.sender(client, cast.DEPLOYER).transact(None, creation).contract
    assert other is not None
    governors = [stage.folder.sender(client, governor) for governor in cast.GOVERNORS[: cast.QUORUM]]
    call = Call(contracts.ledger.address, Ledger.replace_settlement_call(incumbent(stage), other))
    Council(client, contracts.council.address).carry(governors, [call])
    for service in MEMBERS_SERVICES:
        await_equal(lambda service=service: "install the release that knows it" in log(stage, service), True, 30.0)
        await_equal(lambda service=service: stage.processes.is_running(service), False, 30.0)
        assert "halt: the new Settlement is of another release" in log(stage, service)
    assert stage.processes.is_running(CHAIN)
