"""One run's stage: the services with their disks and hosts, the chain, the wire, and what each run begins from."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from contracts.chain.abi import decode_call
from contracts.terms.batch import Batch, Position
from contracts.terms.commitments import keccak
from contracts.terms.errors import FeiqianError
from contracts.terms.parties import Party
from nodes.accounts import service as accounts
from nodes.merchants import codes
from nodes.merchants import service as merchants
from serving.database import Database
from serving.migrations import migrate
from tests.simulation import cast, databases, machine, wire
from tests.simulation.cast import BANKS, INSTITUTIONS, Institution
from tests.simulation.chain import Block, Chain, issued, with_entries
from tests.simulation.chain_node import ChainNode
from tests.simulation.databases import Point
from tests.simulation.machine import Future, wait
from tests.simulation.oracle import Oracle
from tests.simulation.scheduler import Host, Process, Scheduler
from tests.simulation.services import Service, migrations_of, node_settings
from tests.simulation.wire import Wire

TRACED = 4_000
"""Lines of a trace that are kept: those before the end."""
ORDINARY, RESEMBLING = "Malee Suksan", "Joseph Koney"
"""The second has one letter more than an entry of the sanctions list: its payments are held."""
CUSTOMERS = (("plain", ORDINARY), ("alike", RESEMBLING))
MEMORY = Path("/dev/shm")


class Away(Exception):
    """A wallet got no answer."""


@dataclass
class Start:
    """What every run begins from: disks by service name (content, number beside it), and the chain."""

    disks: dict[str, tuple[bytes, bytes]]
    blocks: list[Block]


@dataclass
class Stage:
    """Everything of one run."""

    seed: int
    scheduler: Scheduler
    chain: Chain
    wire: Wire
    services: dict[str, Service]
    oracle: Oracle
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=TRACED))
    armed: dict[str, list[Point]] = field(default_factory=dict)
    """By service, the persistence points at which it dies next."""
    restarts: Callable[[Service], float] = lambda service: 1.0
    crashes: int = 0
    looked: float = 0.0
    """When somebody last looked whether the run is over."""

    def trace(self, what: str) -> None:
        self.lines.append(f"{self.scheduler.now:9.3f}  {what}")

    def node(self, who: Institution) -> Service:
        return self.services[f"node {who.name}"]

    def start(self, service: Service) -> None:
        """Start a new process of a service; when it dies, another follows."""
        process = Process(service.name, service.host)
        process.ends += [service.disk.let_go, lambda: self._ended(service)]

        def main() -> None:
            try:
                service.begin(process)
                self.trace(f"{service.name} is up")
            except FeiqianError as failure:
                self.trace(f"{service.name} does not start: {failure.detail}")
                self.scheduler.kill(process)

        self.scheduler.spawn(process, "main", main)

    def crash(self, service: Service, why: str) -> None:
        """kill -9."""
        if service.process is not None and service.process.alive:
            self.crashes += 1
            self.trace(f"crash: {service.name}, {why}")
            self.scheduler.kill(service.process)

    def restore(self, service: Service, content: bytes, process: Process) -> None:
        """Kill a service and put a backup in the place of its database before it starts again."""

        def put() -> None:
            service.disk.put(content)
            service.restored_at.append(self.scheduler.now)
            self.oracle.restored(service.name)
            self.wire.heard.pop(service.name, None)  # the copy does not know what was heard since
            self.trace(f"restore: {service.name} has its backup")

        process.ends.insert(1, put)
        self.crash(service, "a backup is put in its place")

    def call(self, service: Service, what: str, act: Callable[[Any], Any]) -> Any:
        """Ask a service at its customers' door. Raises Away, and what it refuses."""
        odds, luck = self.wire.odds, self.scheduler.luck
        self.scheduler.sleep(0.002 + 0.02 * luck.random())
        if not service.up or luck.random() < odds.lost:
            self.scheduler.sleep(0.5)
            raise Away
        assert service.process
        future = Future()
        context = service.context
        service.process.busy_until = self.scheduler.now + wire.BUSY

        def work() -> None:
            try:
                outcome: Any = act(context)
            except FeiqianError as refusal:
                outcome = refusal
            if not future.done():
                future.set_result(outcome)

        self.scheduler.spawn(service.process, what, work)
        wait([future], 10.0)
        if not future.done() or luck.random() < odds.lost:
            raise Away
        outcome = future.result()
        if isinstance(outcome, FeiqianError):
            raise outcome
        return outcome

    def strike(self, service: Service, point: Point) -> bool:
        waiting = self.armed.get(service.name)
        if waiting and waiting[0] == point:
            waiting.pop(0)
            self.crashes += 1
            self.trace(f"crash: {service.name}, {point} #{service.disk.commits}")
            return True
        return False

    def _ended(self, service: Service) -> None:
        self.scheduler.later(self.restarts(service), lambda: self.start(service))


@cache
def folder() -> Path:
    """Where this Python process keeps the disks; gone with it."""
    made = Path(tempfile.mkdtemp(prefix="feiqian-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def names() -> Iterator[tuple[str, Institution]]:
    for each in INSTITUTIONS:
        yield "compliance", each
        yield "node" if each.unit else "bridge", each


def set_up(seed: int, start: Start) -> Stage:
    """A stage as every run finds it."""
    scheduler = Scheduler(seed)
    machine.use(scheduler)
    chain = Chain(cast.SETTLEMENT, cast.LEDGER, list(start.blocks), Random(seed + 1), len(start.blocks) - 1)
    services: dict[str, Service] = {}
    oracle = Oracle(scheduler, chain, [])
    net = Wire(oracle.watch, lambda _: None)
    stage = Stage(seed, scheduler, chain, net, services, oracle)
    net.trace = stage.trace
    chain.heard = lambda sender, data: oracle.sent(_node_of(sender), _batches(data))
    for kind, who in names():
        disk = databases.disk(folder() / f"{kind}-{who.name}.db")
        service = Service(kind, who, disk, ChainNode(scheduler, chain, cast.KINDS), net, Host(f"{kind} {who.name}"))
        services[service.name] = service
        disk.commits = 0
        if service.name in start.disks:
            disk.put(*start.disks[service.name])
        disk.strike, disk.hook = partial(stage.strike, service), partial(oracle.committed, service)
    oracle.services = list(services.values())
    return stage


@contextmanager
def running(stage: Stage) -> Iterator[None]:
    """All services of the stage, until the end."""
    for service in stage.services.values():
        stage.start(service)
    try:
        yield
    finally:
        stage.scheduler.close()
        for service in stage.services.values():
            service.disk.let_go()


@cache
def start() -> Start:
    """Found the network once: accounts, merchants, deposits; everybody has followed the chain."""
    machine.install()
    databases.install()
    stage = set_up(0, Start({}, _founding_blocks()))
    disks = {name: service.disk for name, service in stage.services.items()}
    for service in stage.services.values():
        _migrate(stage, service)
    done: list[str] = []
    with running(stage):
        for bank in BANKS:
            stage.scheduler.spawn(stage.scheduler.world, "found", partial(_furnish, stage, bank, done))
        stage.scheduler.run(lambda: len(done) == len(BANKS) and stage.scheduler.now > 40)
        for service in stage.services.values():
            assert service.process
            stage.scheduler.kill(service.process)
        for _ in range(2_000):
            stage.scheduler.step()
    contents = {name: (each.content(), each.side.read_bytes()) for name, each in disks.items()}
    return Start(contents, stage.chain.blocks)


def _migrate(stage: Stage, service: Service) -> None:
    process = Process(service.name, service.host)
    made: list[bool] = []

    def work() -> None:
        migrate(Database(service.disk.path), migrations_of(service.kind))
        made.append(True)

    strike, hook = service.disk.strike, service.disk.hook
    service.disk.strike, service.disk.hook = lambda _: False, lambda: None
    stage.scheduler.spawn(process, "migrate", work)
    stage.scheduler.run(lambda: bool(made))
    stage.scheduler.kill(process)
    for _ in range(5):
        stage.scheduler.later(0.01, lambda: None)
        stage.scheduler.step()
    service.disk.let_go()
    service.disk.strike, service.disk.hook = strike, hook


def _furnish(stage: Stage, bank: Institution, done: list[str]) -> None:
    service = stage.node(bank)
    while not (service.up and service.context.clock.final_time()):
        stage.scheduler.sleep(1.0)
    stage.scheduler.sleep(10.0)

    def act(node: Any) -> str:
        settings = node_settings(bank)
        assert bank.scheme
        scheme = codes.MerchantScheme(settings.merchant_scheme, settings.merchant_prefix)
        registration = merchants.Registration("shop", "shop", f"Shop of {bank.name}", "City", "5411", bank.proxy)

        def work(connection: Any) -> str:
            for owner, name in CUSTOMERS:
                party = Party(name, "person", bank.country, account=owner)
                accounts.open_account(connection, owner, "customer", owner, node.currency, party)
                accounts.deposit(connection, f"first:{owner}", owner, 2_000_000, node.clock.final_time())
            made = merchants.register(connection, registration, [scheme], node.currency, bank.country)
            return made.lookup_key

        found: str = node.database.write(work)
        return found

    shops[bank.name] = stage.call(service, "furnish", act)
    done.append(bank.name)


shops: dict[str, str] = {}
"""By bank, the lookup key of its merchant."""


def _founding_blocks() -> list[Block]:
    world = cast.founded()
    genesis = Block(0, keccak(b"simulation genesis"), bytes(32), cast.FOUNDED - 20, world, {})
    funded = world.copied()
    cast.issue(funded)
    hashes = [keccak(f"issue {number}".encode()) for number in range(len(cast.issues()))]
    entries = [issued(cast.LEDGER, *each, name) for each, name in zip(cast.issues(), hashes, strict=True)]
    first = Block(1, keccak(b"simulation block 1"), genesis.hash, cast.FOUNDED - 10, funded, {})
    return [genesis, with_entries(first, entries)]


def _node_of(sender: str) -> str:
    found = next((e for e in BANKS if cast.signer(f"{e.name}/settlement").address == sender), None)
    return f"node {found.name}" if found else sender


def _batches(data: bytes) -> list[Batch]:
    [batches] = decode_call("Settlement", "settle", data)
    return [
        Batch(*fields[:5], tuple(fields[5]), tuple(Position(*each) for each in fields[6]), fields[7])
        for fields, _ in batches
    ]
