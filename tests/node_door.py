"""The wallets' and merchants' door of a node over a real database: everything but a chain, peers and a worker."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI
from sqlalchemy import Connection, insert
from starlette.testclient import TestClient

from contracts.chain.clock import ChainClock
from contracts.terms.documents import to_document
from contracts.terms.identifiers import new_uetr
from contracts.terms.money import Money, currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event, State
from contracts.terms.quote import Quote
from nodes.accounts import endpoints as account_endpoints
from nodes.accounts import service as accounts
from nodes.app import MIGRATIONS
from nodes.bell import Bell
from nodes.context import NodeContext
from nodes.merchants import endpoints as merchant_endpoints
from nodes.metadata import claims, idempotency_keys, signed
from nodes.payments import endpoints as payment_endpoints
from nodes.payments import events
from nodes.payments import repository as payments
from nodes.payments.admission import Admission
from nodes.payments.record import PaymentRecord
from nodes.quotes.tables import quotes
from serving.app import new_app
from serving.auth import Tokens
from serving.claims import Claims
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.idempotency import IdempotencyKeys
from serving.jsontext import dump
from serving.keys import MessageKey
from serving.readiness import Readiness
from tests import databases

THB, CNY = currency("THB"), currency("CNY")
US, PEER, PROVIDER, SETTLEMENT = ("0x" + digit * 40 for digit in "1234")
NOW, LIFETIME, RICH = 1_000, 30, 10**9
MALEE, TEA = Party("Malee", "person", "TH", account="malee"), Party("Tea House", "organization", "CN", account="tea")
OWNED = {"malee": "malee", "malee-travel": "malee", "anan": "anan"}
"""Customers' accounts and who owns each."""
_KEY = MessageKey(bytes(range(32)))


@dataclass
class Door:
    """A node's door, and the ways to stand in for what is behind it."""

    node: NodeContext
    app: FastAPI
    http: TestClient
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def database(self) -> Database:
        return self.node.database

    def token(self, who: str, *scopes: str) -> dict[str, str]:
        scopes = scopes or ("payments:write", "payments:read", "accounts:read", "merchants:read")
        return {"Authorization": f"Bearer {self.app.state.tokens.issue(who, list(scopes))}"}

    def quote(self, account: str = "malee", source: int = 1_000, name: str = "", expires: int = NOW + 60) -> str:
        """A firm price that the account's owner was shown."""
        name = name or f"quote-{next(self.numbers)}"
        self.show([price(name, account, source, expires)])
        return name

    def quotes(self, count: int, source: int) -> list[str]:
        """As many prices as `quote` shows one."""
        names = [f"quote-{next(self.numbers)}" for _ in range(count)]
        self.show([price(name, "malee", source, NOW + 60) for name in names])
        return names

    def show(self, rows: list[dict[str, Any]]) -> None:
        self.database.write(lambda connection: connection.execute(insert(quotes), rows))

    def pay(self, quote: str, key: str, who: str = "malee", **more: Any) -> Any:
        headers = self.token(who) | {"Idempotency-Key": key}
        return self.http.post("/v1/payments", json={"quote_id": quote, **more}, headers=headers)

    def pay_all(self, items: list[dict[str, Any]], who: str = "malee") -> Any:
        return self.http.post("/v1/payments/bulk", json={"payments": items}, headers=self.token(who))

    def get(self, path: str, who: str = "malee", **params: Any) -> Any:
        return self.http.get(path, params=params, headers=self.token(who))

    def paid(self, account: str = "malee", source: int = 1_000) -> str:
        """The UETR of an accepted payment."""
        key = f"key-{next(self.numbers)}"
        return str(self.pay(self.quote(account, source), key, OWNED[account]).json()["uetr"])

    def move(self, uetr: str, *events: Event) -> None:
        """What the worker does, and how it says so."""

        def work(connection: Connection) -> None:
            for event in events:
                known = payments.find(connection, uetr)
                assert known is not None
                assert payments.move(connection, known, event)

        self.database.write(work)
        self.node.bell.ring()

    def receive(self, account: str, accepted_at: int, original: str = "", amount: int = 200) -> str:
        """The UETR of a payment of another institution's customer to an account here."""
        payment = PaymentRecord(
            uetr=new_uetr(),
            side="creditor",
            state=State.ACCEPTED,
            account=account,
            debtor_agent=PEER,
            creditor_agent=US,
            provider=PROVIDER,
            source=Money(40, CNY),
            target=Money(amount, THB),
            fee=0,
            payee_key="",
            reference="",
            debtor=TEA,
            creditor=MALEE,
            quote=Quote(PROVIDER, PEER, CNY.numeric, 40, THB.numeric, amount, NOW + 60, bytes(32)),
            quote_signature=b"",
            deadline=NOW + LIFETIME,
            accepted_at=accepted_at,
            original_uetr=original,
        )
        self.database.write(lambda connection: payments.add(connection, payment))
        self.node.bell.ring()
        return payment.uetr

    def earmarked(self, account: str = "malee") -> int:
        with self.database.read() as connection:
            return accounts.find(connection, account).earmarked


def price(name: str, account: str, source: int, expires: int) -> dict[str, Any]:
    """The row of a firm price that the account's owner was shown."""
    firm = Quote(PROVIDER, US, THB.numeric, source, CNY.numeric, 200, expires + LIFETIME, bytes(32))
    return {
        "id": name,
        "caller": OWNED[account],
        "account": account,
        "creditor_agent": PEER,
        "payee_key": "TEA:1",
        "payee": dump(to_document(TEA)),
        "reference": "",
        "fee": 5,
        "quote": dump(to_document(firm)),
        "signature": b"signed",
        "rate": "5",
        "rate_date": "2026-01-01",
        "expires": expires,
        "contract": SETTLEMENT,
    }


@contextmanager
def opened(path: Path, balance: int = RICH, room: int = 10**6) -> Iterator[Door]:
    """A door over the database of that path; what stands in it already stays."""
    if not databases.ON_POSTGRESQL and not path.exists():
        path.write_bytes(databases.migrated_file(MIGRATIONS))
    database = Database(databases.place(path, MIGRATIONS), path.parent)
    try:
        database.write(lambda connection: furnish(connection, balance))
        node = node_over(database, room)
        app = _app(node)
        with TestClient(app, raise_server_exceptions=False) as http:
            yield Door(node, app, http)
            node.bell.close()
    finally:
        database.close()


def furnish(connection: Connection, balance: int) -> None:
    """The bank's own accounts, and its customers' with money in them."""
    accounts.open_own_accounts(connection, THB, Party("Bank", "organization"))
    for account, owner in OWNED.items():
        party = Party(owner.title(), "person", "TH", account=account)
        accounts.open_account(connection, account, "customer", owner, THB, party)
        accounts.deposit(connection, f"first:{account}", account, balance, NOW)


def node_over(database: Database, room: int = 10**6) -> NodeContext:
    """What the rooms of a node have of it, over a database that is furnished."""

    def look(owners: Collection[str]) -> Mapping[str, int]:
        with database.read() as connection:
            return events.last_places(connection, owners)

    clock = ChainClock(lambda: 0.0)
    clock.observe(NOW)
    nothing = cast(Any, None)
    terms = {"account": US, "payment_lifetime": LIFETIME, "currency": "THB", "country": "TH"}
    scheme = {"merchant_scheme": "PROMPTPAY", "merchant_prefix": "099", "further_schemes": {}}
    return NodeContext(
        settings=cast(Any, SimpleNamespace(**terms, **scheme)),
        database=database,
        network=nothing,
        chain=nothing,
        office=cast(Any, SimpleNamespace(incumbent=SETTLEMENT)),
        sender=nothing,
        clock=clock,
        directory=nothing,
        signer=nothing,
        peers=nothing,
        compliance=nothing,
        signed=SignedRecord(signed),
        idempotency=IdempotencyKeys(idempotency_keys, _KEY.seed),
        claims=Claims(database, claims),
        admission=Admission(LIFETIME, room),
        bell=Bell(look),
    )


def _app(node: NodeContext) -> FastAPI:
    app = new_app("a node's door", "", _life, Readiness(node.database, {}))
    app.state.node = node
    app.state.tokens = Tokens("door", _KEY)
    for room in (payment_endpoints, account_endpoints, merchant_endpoints):
        app.include_router(room.router)
    return app


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    yield
