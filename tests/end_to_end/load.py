"""Load for a network of real processes, and what must hold after anything happened to it."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contracts.chain.client import ChainClient
from contracts.terms.documents import from_document
from contracts.terms.payment import PaymentTerms
from devnet.network import auditor
from devnet.network.api import Apis, NoAnswer, Problem, Standing
from devnet.network.folder import SERVICES, NetworkFolder
from devnet.network.found import found
from devnet.network.nursery import ForkedProcesses
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, paid_in, welcome
from devnet.network.processes import Processes
from devnet.network.run import run
from devnet.network.traffic import Purchase, purchases
from nodes.verify.service import verify
from tests import databases
from tests.forks import nursery

WALLETS = 12
PATIENCE = 60.0


@dataclass
class Order:
    """A payment that a wallet asked for under one idempotency key. `uetr` once it was acknowledged; `seen` the last
    standing that the wallet was shown."""

    purchase: Purchase
    quote_id: str
    key: str
    uetr: str = ""
    refused: str = ""
    seen: Standing | None = None

    @property
    def payer(self) -> Customer:
        return self.purchase.payer


@dataclass
class Stage:
    """One network for all rounds."""

    folder: NetworkFolder
    processes: Processes
    apis: Apis
    codes: dict[str, str]
    chain: ChainClient
    orders: list[Order] = field(default_factory=list)
    ended: dict[str, Standing] = field(default_factory=dict)

    def pay(self, order: Order) -> str:
        return self.apis.nodes[order.payer.country].pay(order.quote_id, order.payer.owner, order.key)

    def standing(self, order: Order, wait: float) -> Standing:
        return self.apis.nodes[order.payer.country].payment(order.uetr, order.payer.owner, wait)

    def quote(self, purchase: Purchase) -> str:
        node, payer = self.apis.nodes[purchase.payer.country], purchase.payer
        return node.quote(payer.id, payer.owner, self.codes[purchase.merchant.id], purchase.amount).id


class Load:
    """Wallets that pay without pause, and try again with the same key until they are answered."""

    def __init__(self, stage: Stage, seed: int, wallets: int = WALLETS) -> None:
        self._stage = stage
        self._wanted = iter(purchases(100_000, seed))
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._moved = threading.Condition(self._lock)
        self.orders: list[Order] = []
        self._threads = [threading.Thread(target=self._shop, daemon=True) for _ in range(wallets)]
        for each in self._threads:
            each.start()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def await_acknowledged(self, more: int) -> None:
        """Until `more` further payments were acknowledged."""
        with self._lock:
            enough = self._acknowledged() + more
            assert self._moved.wait_for(lambda: self._acknowledged() >= enough, PATIENCE), "payments are not taken"

    def await_settled(self, more: int) -> None:
        """Until wallets saw `more` further payments settled."""
        with self._lock:
            enough = self._settled() + more
            assert self._moved.wait_for(lambda: self._settled() >= enough, PATIENCE), "payments do not settle"

    def stop(self) -> None:
        self._stopping.set()
        for each in self._threads:
            each.join(PATIENCE)
            assert not each.is_alive()

    def _acknowledged(self) -> int:
        return sum(bool(order.uetr) for order in self.orders)

    def _settled(self) -> int:
        return sum(order.seen is not None and order.seen.status == "settled" for order in self.orders)

    def _shop(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                purchase = next(self._wanted)
            try:
                order = Order(purchase, self._stage.quote(purchase), secrets.token_hex(16))
            except (NoAnswer, Problem):
                self._stopping.wait(0.1)
                continue
            with self._lock:
                self.orders.append(order)
            self._pay(order)

    def _pay(self, order: Order) -> None:
        while not order.uetr and not self._stopping.is_set():
            try:
                uetr = self._stage.pay(order)
            except NoAnswer:
                self._stopping.wait(0.1)
            except Problem as problem:
                if problem.status not in (429, 503):  # these are no answers
                    order.refused = problem.detail
                    return
                self._stopping.wait(0.1)
            else:
                with self._lock:
                    order.uetr = uetr
                    self._moved.notify_all()
        self._look(order)

    def _look(self, order: Order) -> None:
        while not self._stopping.is_set() and not (order.seen and order.seen.final):
            try:
                seen = self._stage.standing(order, 1)
            except (NoAnswer, Problem):
                self._stopping.wait(0.1)
            else:
                with self._lock:
                    order.seen = seen
                    self._moved.notify_all()


@contextmanager
def staged(path: Path, payment_lifetime: int = 6) -> Iterator[Stage]:
    """A network that runs while the block does."""
    folder = found(path, payment_lifetime=payment_lifetime, heartbeat=1.0, server=databases.server())
    processes = ForkedProcesses(folder, tied=True, nursery=nursery())
    try:
        run(folder, processes)
        apis = Apis.of(folder)
        yield Stage(folder, processes, apis, dict(welcome(apis)), folder.chain())
        apis.close()
    finally:
        processes.stop_all()


@dataclass
class Round:
    """What one kill did to one load. `before` are hashes of final blocks by number, from before the kill."""

    stage: Stage
    victims: list[str]
    orders: list[Order]
    shown_final: dict[str, Standing]
    before: dict[int, bytes]
    after: dict[int, bytes]
    seconds: float
    """From when what was killed was started until all of it was ready."""


def kill_under_load(stage: Stage, seed: int, victims: Sequence[str]) -> Round:
    """Load, kill -9 of the victims at any moment, start them again, more load, until every payment has ended."""
    with Load(stage, seed) as load:
        return _kill_and_go_on(stage, load, random.Random(seed), list(victims))


def _kill_and_go_on(stage: Stage, load: Load, chooses: random.Random, victims: list[str]) -> Round:
    load.await_acknowledged(chooses.randint(10, 30))
    threading.Event().wait(chooses.uniform(0, 1))  # any moment of a batch's way
    top = stage.chain.final_header().number
    before = {number: stage.chain.header_at(number).block_hash for number in range(max(1, top - 20), top + 1)}
    chooses.shuffle(victims)
    stage.processes.kill(victims)
    shown_final = {order.uetr: order.seen for order in list(load.orders) if order.seen and order.seen.final}
    threading.Event().wait(chooses.uniform(0, 2))  # the others go on without it
    survivors = [service for service in SERVICES if service not in victims]
    assert all(map(stage.processes.is_running, survivors)), "nobody else may fall with it"
    started = time.monotonic()
    run(stage.folder, stage.processes)
    seconds = time.monotonic() - started
    load.await_settled(10)
    load.stop()
    after = {number: stage.chain.header_at(number).block_hash for number in before}
    stage.orders += load.orders
    for order in load.orders:
        conclude(stage, order)
    return Round(stage, victims, load.orders, shown_final, before, after, seconds)


def ends_of(done: Round) -> Counter[str]:
    """How many payments of a round ended how."""
    return Counter(done.stage.ended[order.uetr].status for order in done.orders if order.uetr)


def conclude(stage: Stage, order: Order) -> None:
    """The wallet asks once more with the same key, and waits for the end: an answer that it was given is given again.
    Only what was never acknowledged may be refused now, as its quote has expired."""
    refused, again = order.refused, ""
    try:
        again = stage.pay(order)
    except Problem as problem:
        if order.uetr or problem.status not in (409, 422):
            raise
        order.refused = problem.detail
    if refused:
        assert (again, order.refused) == ("", refused), "what was refused is not refused in the same words"
    if not again:
        return
    assert again == (order.uetr or again), "the same key gave another payment"
    order.uetr = again
    stage.ended[again] = stage.standing(order, PATIENCE)


def settled_at_merchants(stage: Stage) -> dict[str, int]:
    """What merchants were paid, by UETR."""
    paid: dict[str, int] = {}
    for merchant in MERCHANTS:
        for each in stage.apis.nodes[merchant.country].merchant_payments(merchant.id, merchant.owner):
            if each["status"] == "settled":
                paid[each["uetr"]] = int(each["amount"])
    return paid


def await_equal(look: Callable[[], object], wanted: object, patience: float = 10.0) -> None:
    """Look until it is what it must become; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while look() != wanted and time.monotonic() < end:
        time.sleep(0.1)
    assert look() == wanted


def leaves_of(stage: Stage) -> list[PaymentTerms]:
    """All payments of all batches on chain."""
    batches = [(node, each) for node in stage.apis.nodes.values() for each in node.batches()]
    return [from_document(PaymentTerms, terms) for node, each in batches for terms in node.leaves(each)["payments"]]


def check_payment_versus_payment(stage: Stage) -> None:
    """Who paid, was paid for: the same payments settled at both agents and on chain, with both currencies."""
    settled = {uetr: each.target_amount for uetr, each in stage.ended.items() if each.status == "settled"}
    # Each institution follows the chain by itself: the merchants' may be a moment behind the wallets'.
    await_equal(lambda: settled_at_merchants(stage), settled)
    leaves = leaves_of(stage)
    assert {terms.uetr for terms in leaves} == settled.keys()
    for terms in leaves:
        out, back = terms.legs
        assert (out.source, back.target) == (terms.debtor_agent, terms.creditor_agent)
        assert out.target == back.source == stage.apis.bridge.account
        assert out.currency != back.currency
        assert back.amount == settled[terms.uetr]


def check_exactly_once(stage: Stage, scratch: Path) -> None:
    """Each acknowledged payment is there, once, under its key; none stands in two batches."""
    acknowledged = [order.uetr for order in stage.orders if order.uetr]
    assert len(acknowledged) == len(set(acknowledged))
    assert set(acknowledged) == stage.ended.keys()
    assert all(count == 1 for count in Counter(terms.uetr for terms in leaves_of(stage)).values())
    auditor.gather_leaves(stage.apis, scratch / "leaves.json")
    complete = auditor.check_completeness(stage.folder, scratch / "leaves.json")
    assert complete.content, complete.said


def check_customers_paid_what_settled(stage: Stage) -> None:
    """Every payment has ended, and each customer has paid exactly what settled; nothing is set aside any more."""
    assert {each.status for each in stage.ended.values()} <= {"settled", "refused", "expired"}
    spent: dict[str, int] = defaultdict(int)
    for order in stage.orders:
        if order.uetr and stage.ended[order.uetr].status == "settled":
            spent[order.payer.id] += stage.ended[order.uetr].total
    for customer in CUSTOMERS:
        balance, available = stage.apis.nodes[customer.country].balance(customer.id, customer.owner)
        assert (balance, available) == (paid_in(customer.country) - spent[customer.id],) * 2, customer


def check_final_means_final(done: Round) -> None:
    """Final blocks are the same after the kill, and so is every end that a wallet was shown before it."""
    assert done.after == done.before
    assert len(done.before) > 5
    for uetr, shown in done.shown_final.items():
        assert done.stage.ended[uetr] == shown, "an end that was shown is another now"


def check_sums(stage: Stage) -> None:
    """The sums agree between chain and books, and each node's database proves its own."""
    report = auditor.await_sums(stage.folder, stage.apis)
    assert not report.problems, report
    for each in stage.apis.nodes.values():
        broken = verify(stage.folder.database(each.institution.node)).broken
        assert not broken, broken
