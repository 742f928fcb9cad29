"""All wiring of a bridge, on one page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from bridge.attesting import OwnCompliance
from bridge.context import BridgeContext
from bridge.endpoints import own, peers
from bridge.following import Follower
from bridge.rates.reference import reference_rates
from bridge.settings import BridgeSettings
from bridge.tables import seen_messages, signed
from contracts.chain.client import ChainClient, check_finality
from contracts.chain.clock import ChainClock
from contracts.chain.deploy import check_deployment
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.ledger import Ledger
from contracts.chain.network import load_network
from contracts.chain.office import Office
from contracts.chain.participants import Participants
from serving.app import new_app
from serving.auth import Tokens
from serving.client import Peer, PeerClient
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.keys import open_message_key, open_signer
from serving.messages import Messenger
from serving.migrations import migrate
from serving.peers import PeerDoor
from serving.readiness import Readiness
from serving.replay import ReplayGuard

MIGRATIONS = Path(__file__).parent / "migrations"
REGISTRY_MAX_AGE = 60.0
"""Seconds for which the registry is trusted unread; every event that changes it makes the follower read it anew."""


def create_app(settings: BridgeSettings) -> FastAPI:
    """The bridge's web application; its lifespan is the chain follower's and the database's.

    Raises KeyUnreadable, or an error of the tree when the network file or the chain is not what it must be.
    """
    password = settings.password()
    network = load_network(settings.network)
    chain = ChainClient(settings.chain_url, settings.finality, network.validators)
    newest = check_finality(chain, network.chain_id)
    check_deployment(chain, network.contracts)
    directory = ChainKeyDirectory(Participants(chain, network.contracts.participants.address), REGISTRY_MAX_AGE)
    messenger = Messenger(settings.account, open_message_key(settings.message_key, password), directory)
    calls = PeerClient(messenger)
    database = Database(settings.place(), settings.state())
    migrate(database, MIGRATIONS)
    bridge = BridgeContext(
        settings=settings,
        database=database,
        network=network,
        chain=chain,
        ledger=Ledger(chain, network.contracts.ledger.address),
        office=Office(network),
        directory=directory,
        clock=ChainClock(),
        signer=open_signer(settings.settlement_key, password),
        rates=reference_rates(settings.rate_date),
        compliance=OwnCompliance(calls, Peer(settings.account, settings.compliance_endpoint)),
        signed=SignedRecord(signed, newest.timestamp if database.restored else None),
    )
    follower = Follower(bridge)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        follower.start()
        try:
            yield
        finally:
            await run_in_threadpool(follower.stop)
            calls.close()
            database.close()

    app = new_app(
        "Feiqian bridge",
        "Firm quotes, reservations and positions of one FX provider.",
        lifespan,
        Readiness(database, {"backup": bridge.signed.require_whole, "chain": bridge.require_moving}),
    )
    app.state.bridge = bridge
    app.state.tokens = Tokens(settings.name, open_message_key(settings.token_key, password))
    app.state.peer_door = PeerDoor(messenger, ReplayGuard(database, seen_messages), settings.endpoint)
    app.include_router(peers)
    app.include_router(own)
    return app
