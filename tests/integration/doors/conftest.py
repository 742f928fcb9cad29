"""A whole network in this process, for everything that may be sent to a door: a chain, and the services of a debtor
agent, a creditor agent and an FX provider, each served for real, with settled and held payments to ask about."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pysqlite3
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import URL, Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from bridge.app import create_app as create_bridge
from bridge.settings import BridgeSettings
from compliance.app import create_app as create_compliance
from compliance.client import Screening
from compliance.lists.loader import SHIPPED_LIST
from compliance.settings import ComplianceSettings
from contracts.chain.client import ChainClient
from contracts.chain.council import Call, Council
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.participants import Participants
from contracts.terms.documents import to_document
from contracts.terms.identifiers import Address
from contracts.terms.parties import Party
from contracts.terms.payment import Leg
from devnet.chain import open_chain
from devnet.chain.server import ChainServer
from devnet.network import cast
from devnet.network.api import ComplianceApi, NodeApi
from devnet.network.establish import admit, deploy, issue
from devnet.network.folder import CHAIN, NetworkFolder
from devnet.network.found import found
from nodes.app import create_app as create_node
from nodes.settings import NodeSettings
from serving.keys import MessageKey, open_message_key
from serving.messages import Messenger
from serving.settings import load_settings
from serving.signed_form import RequestMessage
from tests import databases

DEBTOR, CREDITOR, OTHER = (cast.institution(country) for country in ("TH", "CN", "SG"))
NODE, COMPLIANCE, BRIDGE = DEBTOR.node, DEBTOR.compliance, cast.PROVIDER_BRIDGE
DOORS = (NODE, BRIDGE, COMPLIANCE)
OWNER = {NODE: DEBTOR.slug, BRIDGE: cast.PROVIDER.slug, COMPLIANCE: DEBTOR.slug}
"""The member that each of the doors is of."""
PEER = {NODE: CREDITOR.slug, BRIDGE: DEBTOR.slug, COMPLIANCE: DEBTOR.slug}
"""A member whose questions each of them answers."""
SERVICES: dict[str, tuple[Callable[[Any], FastAPI], Any]] = {
    CREDITOR.compliance: (create_compliance, ComplianceSettings),
    cast.PROVIDER_COMPLIANCE: (create_compliance, ComplianceSettings),
    COMPLIANCE: (create_compliance, ComplianceSettings),
    BRIDGE: (create_bridge, BridgeSettings),
    CREDITOR.node: (create_node, NodeSettings),
    NODE: (create_node, NodeSettings),
}
PAYER, NEIGHBOUR, OTHER_OWNER = "somchai", "malee", "niran"
"""Customers of the debtor agent. The payer owns a shop as well, and so does OTHER_OWNER."""
SHOP, OTHER_SHOP = "payers-shop", "other-shop"
SELLER, SOLD_AT = "li-na", "tea-house"
"""A customer of the creditor agent and its shop."""
HELD_NAME = "Joseph Koney"
"""One letter more than an entry of the sanctions list has: held, not refused."""
ALERTED_NAME, ALERTS = "Prasert Boonmee", 2
"""Who was cleared before a list had him, and in how many payments."""
JSON = {"Content-Type": "application/json"}


def until(condition: Callable[[], Any], what: str, patience: float = 60.0) -> Any:
    """What `condition` gives once it gives something."""
    end = time.monotonic() + patience
    while not (given := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)
    return given


@dataclass(eq=False)
class Network:
    """The network as the tests use it."""

    folder: NetworkFolder
    apps: dict[str, FastAPI] = field(default_factory=dict)
    running: dict[str, ExitStack] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    """What there is at the doors, by what a path calls it."""
    asked: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """What one service asked another first, by service and path: real questions, to be spoiled."""
    ready: bool = False
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=30.0, trust_env=False))

    def start(self, service: str) -> None:
        create, settings = SERVICES[service]
        app = create(load_settings(settings, self.folder.settings(service)))
        self.apps[service], self.running[service] = app, ExitStack()
        self.running[service].enter_context(served(self._recorded(app, service), self.folder.plan.ports[service]))
        until(lambda: self.http.get(self.url(service) + "/ready").status_code == 200, f"{service} is ready")

    def _recorded(self, app: FastAPI, service: str) -> Any:
        async def recorder(scope: Any, receive: Any, send: Any) -> None:
            parts: list[bytes] = []

            async def received() -> Any:
                message = await receive()
                parts.append(message.get("body", b""))
                return message

            await app(scope, received, send)
            if not self.ready and scope.get("path", "").startswith("/peer/"):
                self.asked.setdefault((service, scope["path"]), b"".join(parts))

        return recorder

    def restart(self, service: str) -> None:
        self.running[service].close()
        self.start(service)

    def url(self, service: str) -> str:
        return self.folder.url(service)

    @property
    def chain(self) -> ChainClient:
        return self.folder.chain()

    def account(self, slug: str) -> Address:
        return self.folder.plan.accounts[slug]

    @cached_property
    def directory(self) -> ChainKeyDirectory:
        return ChainKeyDirectory(Participants(self.chain, self.folder.network.contracts.participants.address))

    def key(self, slug: str) -> MessageKey:
        """A member's message key."""
        return _message_key(self.folder.key(slug, "message"), self.folder.password)

    def messenger(self, slug: str, key: MessageKey | None = None) -> Messenger:
        """Signs as a member, with its own key or with another."""
        return Messenger(self.account(slug), key or self.key(slug), self.directory)

    def signed(self, service: str, path: str, body: bytes, by: str, key: MessageKey | None = None) -> RequestMessage:
        """A request of a member, signed as its messenger does."""
        message = RequestMessage("POST", self.url(service) + path, dict(JSON))
        self.messenger(by, key).sign_request(message, body)
        return message

    def send(self, message: RequestMessage, body: bytes) -> httpx2.Response:
        return self.http.request(message.method, message.url, content=body, headers=dict(message.headers))

    def token(self, service: str, subject: str, *scopes: str, lifetime: int = 3600) -> str:
        return self.folder.tokens(service).issue(subject, list(scopes), lifetime)

    def govern(self, *calls: bytes) -> None:
        """The council changes the registry."""
        contracts, client = self.folder.network.contracts, self.chain
        governors = [self.folder.sender(client, each) for each in cast.GOVERNORS[: cast.QUORUM]]
        council = Council(client, contracts.council.address)
        council.carry(governors, [Call(contracts.participants.address, each) for each in calls])

    def rows(self, service: str, aside: tuple[str, ...] = ()) -> dict[str, int]:
        """How many rows each table of a service has, but those `aside`."""
        with self._looking(self.folder.database(service)) as connection:
            tables = [name for name in inspect(connection).get_table_names() if name not in aside]
        return {name: self.count(service, name) for name in tables}

    def count(self, service: str, table: str, condition: str = "true") -> int:
        """How many rows of a table of a service fulfil a condition."""
        with self._looking(self.folder.database(service)) as connection:
            found: int = connection.execute(text(f'SELECT count(*) FROM "{table}" WHERE {condition}')).scalar_one()
            return found

    @contextmanager
    def _looking(self, where: Path | URL) -> Iterator[Connection]:
        """By the services' own library: another copy of SQLite in this process would drop their locks."""
        if isinstance(where, URL):
            with databases.looking(where) as connection:
                yield connection
            return
        engine = create_engine(
            "sqlite://",
            module=pysqlite3,
            creator=lambda: pysqlite3.connect(f"file:{where}?mode=ro", uri=True),
            poolclass=NullPool,
        )
        with engine.connect() as connection:
            yield connection


@cache
def _message_key(path: Any, password: str) -> MessageKey:
    return open_message_key(path, password)


@contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """An ASGI application on a loopback port, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), "the service answers")
    assert server.started
    yield
    server.should_exit = True
    thread.join()


def _people(network: Network) -> None:
    """Accounts with money, shops, and payments: one settled, one returned, one held."""
    folder, known = network.folder, network.known
    debtor, creditor = NodeApi(folder, DEBTOR), NodeApi(folder, CREDITOR)
    for name, called in ((PAYER, "Somchai Jaidee"), (NEIGHBOUR, "Malee Srisuk"), (OTHER_OWNER, HELD_NAME)):
        debtor.open_account(name, name, {"name": called, "country": "TH"})
        debtor.deposit(name, 100_000_000, f"first-{name}")
    creditor.open_account(SELLER, SELLER, {"name": "Li Na", "country": "CN"})
    creditor.deposit(SELLER, 100_000_000, "first")
    known["code"] = debtor.register_merchant(_shop(SHOP, PAYER))
    debtor.register_merchant(_shop(OTHER_SHOP, OTHER_OWNER))
    known["foreign code"] = code = creditor.register_merchant(_shop(SOLD_AT, SELLER))

    def pay(node: NodeApi, payer: str, at: str, amount: int) -> str:
        return node.pay(node.quote(payer, payer, at, amount).id, payer, f"{payer} {amount}".replace(" ", "-"))

    known["held"] = pay(debtor, OTHER_OWNER, code, 2_000)
    known["uetr"] = pay(debtor, PAYER, code, 3_000)
    known["received"] = pay(creditor, SELLER, known["code"], 4_000)
    for node, payer, name in ((debtor, PAYER, "uetr"), (creditor, SELLER, "received")):
        ended = node.payment(known[name], payer, wait=40)
        assert ended.status == "settled", ended
    batch = next(debtor.batches())
    known["lane"], known["sequence"] = str(batch["batch"]["lane"]), str(batch["batch"]["sequence"])
    known["batch_hash"] = batch["batch_hash"]
    until(lambda: debtor.payment(known["held"], OTHER_OWNER).status == "held", "the payment is held")
    held = ComplianceApi(folder, COMPLIANCE).holds("officer")
    assert [each["uetr"] for each in held] == [known["held"]]


def _alerts(network: Network) -> None:
    """A list that changes after a customer was cleared: an alert for each of his payments under way."""
    own, third, provider = (network.account(each) for each in (DEBTOR.slug, CREDITOR.slug, cast.PROVIDER.slug))
    legs = (Leg(own, provider, 764, 100),)
    payer, shop = Party(ALERTED_NAME, "person", account="alerted"), Party("Tea House", "organization")
    asked = [Screening(str(uuid4()), "debtor", payer, shop, own, third, legs) for _ in range(ALERTS)]
    body = json.dumps({"screenings": [to_document(each) for each in asked]}).encode()
    answer = network.send(network.signed(COMPLIANCE, "/peer/v1/screenings", body, DEBTOR.slug), body).json()
    assert {each["outcome"] for each in answer["decisions"]} == {"clear"}, answer
    with _list_of(network.folder).open("a", encoding="utf-8") as listed:
        listed.write(f'DOORS,1,person,"{ALERTED_NAME}",,,,a test,2026-01-01\n')
    token = network.token(COMPLIANCE, "officer", "compliance:officer", "compliance:read")
    headers, url = {"Authorization": f"Bearer {token}"}, network.url(COMPLIANCE) + "/v1"
    assert network.http.post(url + "/lists/look", headers=headers).status_code == 200

    def raised() -> Any:
        found = network.http.get(url + "/alerts", headers=headers).json()["alerts"]
        return found if len(found) == ALERTS else None

    found = until(raised, "the customer was screened again")
    network.known["alert"], network.known["other alert"] = (str(each["sequence"]) for each in found)


def _let_ask(folder: NetworkFolder) -> None:
    """The creditor agent's compliance asks for birth dates before it holds the other agent's customers."""
    policy, settings = folder.path / "settings" / "asking.toml", folder.settings(CREDITOR.compliance)
    policy.write_text(folder.policy_file.read_text().replace("ask = []", 'ask = ["birth_date"]'))
    settings.write_text(settings.read_text().replace(str(folder.policy_file), str(policy)))
    assert str(policy) in settings.read_text()


def _list_of(folder: NetworkFolder) -> Path:
    """The list of the debtor agent's compliance, which alone has one of its own."""
    return folder.settings(COMPLIANCE).with_suffix(".csv")


def _shop(shop: str, owner: str) -> dict[str, str]:
    return {"id": shop, "owner": owner, "name": shop.title(), "city": "Bangkok", "category": "5812"}


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = found(
        tmp_path_factory.mktemp("doors") / "network", payment_lifetime=120, heartbeat=1.0, server=databases.server()
    )
    _list_of(folder).write_bytes(SHIPPED_LIST.read_bytes())
    with folder.settings(COMPLIANCE).open("a") as compliance:
        compliance.write(f'sanctions_list = "{_list_of(folder)}"\n')
    _let_ask(folder)
    with folder.settings(BRIDGE).open("a") as bridge:
        bridge.write("quote_lifetime = 300\n")  # outlives a payment, which a busy machine may need its time for
    sealer = bytes.fromhex(folder.sealer_key.read_text().strip())
    chain = open_chain(folder.network.to_json(), ":memory:", sealer, heartbeat=1.0)
    made = Network(folder)
    with served(ChainServer(chain).app(), folder.plan.ports[CHAIN]):
        client = folder.chain()
        deploy(folder, client)
        admit(folder, client)
        issue(folder, client)
        try:
            for service in SERVICES:
                made.start(service)
            _people(made)
            _alerts(made)
            made.ready = True
            yield made
        finally:
            for stack in reversed(made.running.values()):
                stack.close()
            made.http.close()
    chain.close()
