"""An institution's node: all wiring on one page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI

import nodes.accounts.tables
import nodes.batches.tables
import nodes.consumer_codes.tables
import nodes.merchants.tables
import nodes.payments.tables
import nodes.quotes.tables
import nodes.recovery.tables  # noqa: F401
from compliance.client import ComplianceClient
from contracts.chain.client import ChainClient, check_finality
from contracts.chain.clock import ChainClock
from contracts.chain.deploy import check_deployment
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.network import load_network
from contracts.chain.office import Office
from contracts.chain.participants import Participants
from contracts.chain.transactions import TransactionSender
from contracts.terms.parties import Party
from nodes.accounts import endpoints as accounts
from nodes.accounts.service import open_own_accounts
from nodes.batches import endpoints as batches
from nodes.bell import Bell
from nodes.consumer_codes import endpoints as consumer_codes
from nodes.context import NodeContext
from nodes.follow import resume
from nodes.merchants import endpoints as merchants
from nodes.metadata import claims, idempotency_keys, seen_messages, signed
from nodes.payments import endpoints as payments
from nodes.payments.admission import Admission
from nodes.payments.events import last_places
from nodes.peers import endpoints as peers
from nodes.quotes import endpoints as quotes
from nodes.returns import endpoints as returns
from nodes.settings import NodeSettings
from nodes.worker import Worker
from serving.app import new_app
from serving.auth import Tokens
from serving.claims import Claims
from serving.client import Peer, PeerClient
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.idempotency import IdempotencyKeys
from serving.keys import open_message_key, open_signer
from serving.messages import Messenger
from serving.migrations import migrate
from serving.peers import PeerDoor
from serving.readiness import Readiness
from serving.replay import ReplayGuard

MIGRATIONS = Path(__file__).parent / "migrations"
REGISTRY_MAX_AGE = 60.0
"""Seconds for which the registry is trusted unread; every event that changes it makes the follower read it anew."""


def create_app(settings: NodeSettings) -> FastAPI:
    """The node's web application; its worker runs while it is served. Raises what is wrong with keys or chain."""
    password = settings.password()
    message_key = open_message_key(settings.message_key, password)
    token_key = open_message_key(settings.token_key, password)
    signer = open_signer(settings.settlement_key, password)

    network = load_network(settings.network)
    contracts = network.contracts
    chain = ChainClient(settings.chain_url, settings.finality, network.validators)
    newest = check_finality(chain, network.chain_id)
    check_deployment(chain, contracts)
    directory = ChainKeyDirectory(Participants(chain, contracts.participants.address), REGISTRY_MAX_AGE)

    database = Database(settings.place(), settings.state())
    migrate(database, MIGRATIONS)
    messenger = Messenger(settings.account, message_key, directory)
    client = PeerClient(messenger)
    node = NodeContext(
        settings=settings,
        database=database,
        network=network,
        chain=chain,
        office=Office(network),
        sender=TransactionSender(chain, signer),
        clock=ChainClock(),
        directory=directory,
        signer=signer,
        peers=client,
        compliance=ComplianceClient(client, Peer(settings.account, settings.compliance_endpoint)),
        signed=SignedRecord(signed, newest.timestamp if database.restored else None),
        idempotency=IdempotencyKeys(idempotency_keys, token_key.seed),
        claims=Claims(database, claims),
        admission=Admission(settings.payment_lifetime, settings.room),
        bell=Bell(partial(_events_of, database)),
    )
    institution = Party(settings.name, "organization", settings.country)
    database.write(lambda connection: open_own_accounts(connection, node.currency, institution))
    resume(node)

    app = new_app(
        f"Feiqian node: {settings.name}",
        "Pay abroad by QR code, in two currencies or not at all.",
        _life,
        Readiness(database, {"backup": node.require_whole, "chain": node.require_moving}),
    )
    app.state.node = node
    app.state.worker = Worker(node)
    app.state.tokens = Tokens(settings.name, token_key)
    app.state.peer_door = PeerDoor(messenger, ReplayGuard(database, seen_messages), settings.endpoint)
    for room in (quotes, payments, returns, consumer_codes, accounts, merchants, batches, peers):
        app.include_router(room.router)
    return app


def _events_of(database: Database, owners: Collection[str]) -> Mapping[str, int]:
    with database.read() as connection:
        return last_places(connection, owners)


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    app.state.worker.start()
    yield
    app.state.worker.stop()
    app.state.node.bell.close()
    app.state.node.peers.close()
    app.state.node.database.close()
