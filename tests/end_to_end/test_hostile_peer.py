"""A hostile institution: the Singaporean node is played by the test, which answers co-signing as it likes.

The Thai node pays both Singaporean and Chinese merchants at once. Whatever the hostile peer does, the payments to China
settle, no payment is lost or doubled, and every sum is exact.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.chain.participants import Participants
from contracts.chain.transactions import TransactionSender
from devnet.network import cast
from devnet.network.api import Standing
from devnet.network.people import CUSTOMERS, MERCHANTS
from devnet.network.traffic import Purchase
from nodes.app import create_app
from nodes.batches.lanes import COSIGN_TIMEOUT, SLOW
from nodes.settings import NodeSettings
from serving.app import bind
from serving.keys import open_signer
from serving.settings import load_settings
from tests.end_to_end import load
from tests.end_to_end.load import Order, Stage, conclude

THAI, SINGAPOREAN = cast.institution("TH"), cast.institution("SG")
COSIGNATURES = "/peer/v1/cosignatures"
Mood = Callable[[], None]


@dataclass
class Played:
    """The hostile node: an honest one behind a door that delays its co-signatures, or acts before they go out."""

    app: ASGIApp
    mood: Mood = field(default=lambda: None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != COSIGNATURES:
            await self.app(scope, receive, send)
            return
        answer: list[object] = []

        async def keep(message: object) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)  # type: ignore[arg-type]
        await asyncio.to_thread(self.mood)
        for message in answer:
            await send(message)  # type: ignore[arg-type]


@contextmanager
def played(stage: Stage) -> Iterator[Played]:
    """The Singaporean node in this process instead of its own."""
    stage.processes.stop([SINGAPOREAN.node])
    settings = load_settings(NodeSettings, stage.folder.settings(SINGAPOREAN.node))
    hostile = Played(create_app(settings))
    server = uvicorn.Server(uvicorn.Config(hostile, log_config=None, timeout_graceful_shutdown=1))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bind(settings.host, settings.port)]})
    thread.start()
    load.await_equal(lambda: server.started, True, load.PATIENCE)
    yield hostile
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with load.staged(tmp_path_factory.mktemp("hostile") / "network", payment_lifetime=20) as stage:
        yield stage


@pytest.fixture(scope="module")
def hostile(stage: Stage) -> Iterator[Played]:
    with played(stage) as hostile:
        yield hostile


@pytest.fixture(autouse=True)
def forgotten(stage: Stage, hostile: Played) -> None:
    """The Thai node knows nothing bad about anybody."""
    hostile.mood = lambda: None
    stage.processes.stop([THAI.node])
    stage.processes.start([THAI.node])
    stage.processes.wait([THAI.node])


def pay(stage: Stage, countries: str, key: str) -> dict[str, list[Standing]]:
    """Thai customers pay a merchant of each country named, at once; how the payments ended, by country."""
    payers = [each for each in CUSTOMERS if each.country == "TH"]

    def one(number: int, country: str) -> tuple[str, Standing]:
        shop = next(each for each in MERCHANTS if each.country == country)
        purchase = Purchase(payers[number % len(payers)], shop, 1_000 + number, printed=True)
        order = Order(purchase, stage.quote(purchase), f"{key}-{number}")
        stage.orders.append(order)
        conclude(stage, order)
        return country, stage.ended[order.uetr]

    named = countries.split()
    with ThreadPoolExecutor(len(named)) as wallets:
        ended = list(wallets.map(one, range(len(named)), named))
    return {country: [standing for at, standing in ended if at == country] for country in set(named)}


def statuses(ended: list[Standing]) -> set[str]:
    return {each.status for each in ended}


def lanes(stage: Stage, ended: list[Standing]) -> set[int]:
    """The lanes in which these payments settled."""
    node, wanted = stage.apis.nodes["TH"], {each.uetr for each in ended}
    return {
        each["batch"]["lane"]
        for each in node.batches()
        if wanted & {leaf["uetr"] for leaf in node.leaves(each)["payments"]}
    }


def test_who_answers_just_before_the_time_out_delays_only_itself(stage: Stage, hostile: Played) -> None:
    hostile.mood = lambda: time.sleep((SLOW + COSIGN_TIMEOUT) / 2)
    assert statuses(pay(stage, "SG CN SG CN", "late-1")["CN"]) == {"settled"}
    again = pay(stage, "SG CN SG CN", "late-2")
    assert statuses(again["CN"]) == {"settled"}
    assert lanes(stage, again["CN"]) <= {0, 1}
    assert not lanes(stage, again["SG"]) & {0, 1}, "it has a lane of its own now"
    check(stage)


def test_a_batch_is_formed_anew_without_who_never_signs(stage: Stage, hostile: Played) -> None:
    released = threading.Event()
    hostile.mood = lambda: released.wait() and None
    try:
        ended = pay(stage, "SG CN SG CN CN", "silent")
    finally:
        released.set()
    assert statuses(ended["CN"]) == {"settled"}
    assert statuses(ended["SG"]) == {"expired"}
    check(stage)


def test_a_batch_that_a_revoked_key_spoils_is_formed_anew_without_its_holder(stage: Stage, hostile: Played) -> None:
    """Last: no key comes back. Its signature is good when it gives it, and dead when the batch is sent."""
    folder, once = stage.folder, threading.Lock()
    signer = open_signer(folder.key(SINGAPOREAN.slug, "settlement"), folder.password)
    sender = TransactionSender(stage.chain, signer)

    def revoke() -> None:
        if once.acquire(blocking=False):
            participants = folder.network.contracts.participants.address
            sender.transact(participants, Participants.revoke_key_call(signer.address))

    hostile.mood = revoke
    ended = pay(stage, "SG CN SG CN CN", "revoked")
    assert statuses(ended["CN"]) == {"settled"}
    assert statuses(ended["SG"]) <= {"expired", "refused"}
    assert statuses(pay(stage, "CN CN", "after")["CN"]) == {"settled"}
    check(stage)


def check(stage: Stage) -> None:
    """Nothing lost, nothing doubled."""
    load.check_payment_versus_payment(stage)
    load.check_customers_paid_what_settled(stage)
    load.check_sums(stage)
