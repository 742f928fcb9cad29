"""Through connections that get out of step an answer is never taken for another request's: by peers, of the chain."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import uvicorn
from eth_account import Account
from eth_hash.auto import keccak
from fastapi import APIRouter, FastAPI
from sqlalchemy import MetaData
from starlette.types import ASGIApp

from contracts.chain.rpc import HttpTransport, request
from contracts.terms.errors import Unavailable
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant, Role, Status
from devnet.chain.chain import open_chain
from devnet.chain.server import ChainServer
from serving.bodies import Schema
from serving.client import Peer, PeerClient
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.peers import PeerDoor, SignedRoute
from serving.replay import ReplayGuard, seen_messages_table
from tests.databases import opened
from tests.faults.plan import Fault, Plan
from tests.faults.proxy import HOST, Link, Proxy

ASKER, ANSWERER = ("0x" + digit * 40 for digit in "12")
KEYS = {account: MessageKey(bytes([index]) * 32) for index, account in enumerate((ASKER, ANSWERER), 1)}
QUESTIONS, ASKERS, SEED, MEAN = 400, 8, 3, 4
FAULTS = (Fault.DUPLICATE, Fault.DUPLICATE, Fault.CUT, Fault.RESET)
"""What puts a connection out of step, and what ends it: nobody has to wait."""


SEALER = bytes(range(1, 33))
GENESIS = {
    "chainId": 777,
    "timestamp": 1_700_000_000,
    "gasLimit": 60_000_000,
    "validators": [Account.from_key(SEALER).address],
    "alloc": {},
}


class Registry:
    """Two members and their message keys."""

    def participant(self, account: Address) -> Participant | None:
        key = KEYS[account].public
        return Participant(account, "", "", "", Role.DEBTOR_AGENT, Status.ACTIVE, key, "", ())

    def message_keys(self, account: Address) -> tuple[bytes, ...]:
        return (KEYS[account].public,)


class Question(Schema):
    number: int


routes = APIRouter(route_class=SignedRoute)


@routes.post("/peer/v1/squares")
def square(question: Question) -> dict[str, int]:
    return {"square": question.number**2}


@contextmanager
def serving(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="auto"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def failing() -> Iterator[tuple[Proxy, str, socket.socket]]:
    """A proxy that fails, the URL to ask through it, and the socket behind it to answer on."""
    with socket.socket() as door, socket.socket() as behind:
        door.bind((HOST, 0))
        behind.bind((HOST, 0))
        port = door.getsockname()[1]
        door.close()
        proxy = Proxy([Link("questions", port, behind.getsockname()[1])], Plan(SEED, MEAN, FAULTS))
        proxy.start()
        proxy.fail()
        try:
            yield proxy, f"http://{HOST}:{port}", behind
        finally:
            proxy.stop()


def answers(ask: Callable[[int], object], right: Callable[[int], object]) -> Counter[str]:
    """Ask many at once: how many were answered rightly, wrongly, and not at all."""

    def one(number: int) -> str:
        try:
            return "right" if ask(number) == right(number) else "wrong"
        except Unavailable:
            return "none"

    with ThreadPoolExecutor(ASKERS) as askers:
        return Counter(askers.map(one, range(QUESTIONS)))


def check(found: Counter[str], proxy: Proxy) -> None:
    assert proxy.counts["questions", Fault.DUPLICATE] > QUESTIONS // 20, proxy.counts
    assert found["wrong"] == 0, found
    assert found["right"] > QUESTIONS // 4, found
    assert found["none"], "nothing that was asked met a fault"


def test_a_peers_answer_is_that_to_the_request(tmp_path: Path) -> None:
    table = seen_messages_table(metadata := MetaData())
    app = FastAPI()
    app.include_router(routes)
    with closing(opened(tmp_path / "door.sqlite")) as database, failing() as (proxy, url, behind), serving(app, behind):
        database.migrate(metadata.create_all)
        messenger = Messenger(ANSWERER, KEYS[ANSWERER], Registry())
        app.state.peer_door = PeerDoor(messenger, ReplayGuard(database, table), url)
        client, peer = PeerClient(Messenger(ASKER, KEYS[ASKER], Registry())), Peer(ANSWERER, url)

        def ask(number: int) -> object:
            return client.post(peer, "/peer/v1/squares", json.dumps({"number": number}).encode())

        check(answers(ask, lambda number: {"square": number**2}), proxy)
        client.close()


def test_the_chains_answer_is_that_to_the_request() -> None:
    with (
        closing(open_chain(GENESIS, ":memory:", SEALER)) as chain,
        failing() as (proxy, url, behind),
        serving(ChainServer(chain).app(), behind),
    ):
        transport = HttpTransport(url)

        def ask(number: int) -> object:
            return request(transport, "web3_sha3", f"0x{number:04x}")

        check(answers(ask, lambda number: "0x" + keccak(bytes.fromhex(f"{number:04x}")).hex()), proxy)
        transport.close()
