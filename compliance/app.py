"""The compliance service of one institution: all its wiring, on one page."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool

from compliance.alerts.endpoints import alerts_router
from compliance.alerts.service import AlertsService
from compliance.attesting import AttestationService
from compliance.cases.endpoints import cases_router
from compliance.cases.service import CasesService
from compliance.chaintime import ChainTime
from compliance.endpoints import auditor_router, officer_router, peer_router
from compliance.following import Follower
from compliance.holds.endpoints import holds_router
from compliance.holds.service import HoldsService
from compliance.inquiries.courier import Courier
from compliance.inquiries.endpoints import inquiries_peer_router, inquiries_router
from compliance.inquiries.service import InquiriesService
from compliance.lists.catalogue import load_catalogue
from compliance.lists.endpoints import judging_router, lists_router
from compliance.lists.false_positives import FalsePositivesService
from compliance.lists.keeping import ListKeeper
from compliance.lists.rescreening import Rescreening
from compliance.lists.service import ListsService
from compliance.lists.updating import ListUpdater
from compliance.log.endpoints import log_router
from compliance.log.service import LogService
from compliance.policy import Policy, load_policy
from compliance.repository import remember_version
from compliance.screening.log import AccountTags
from compliance.screening.service import ScreeningService
from compliance.service import DecisionsService
from compliance.settings import ComplianceSettings
from compliance.statistics.endpoints import statistics_router
from compliance.statistics.service import StatisticsService
from compliance.tables import policies, seen_messages, signed
from contracts.chain.client import ChainClient
from contracts.chain.clock import ChainClock
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.network import Network, load_network
from contracts.chain.office import Office
from contracts.chain.participants import Participants
from contracts.terms.parties import KeyDirectory
from contracts.terms.signing import Signer
from serving.app import new_app
from serving.auth import Tokens
from serving.client import PeerClient
from serving.cosigning import NOT_SEEN, SignedRecord
from serving.database import Database
from serving.keys import MessageKey, open_message_key, open_signer
from serving.messages import Messenger
from serving.migrations import migrate
from serving.peers import PeerDoor
from serving.readiness import Readiness
from serving.replay import ReplayGuard

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Keys:
    """The service's three keys, opened."""

    compliance: Signer
    message: MessageKey
    token: MessageKey


@dataclass(frozen=True)
class ChainSide:
    """What the service knows of the chain."""

    network: Network
    client: ChainClient
    directory: KeyDirectory
    clock: ChainClock


def create_app(settings: ComplianceSettings) -> FastAPI:
    """The service as its settings say. Raises KeyUnreadable or Malformed in one line when they are wrong."""
    password = settings.password()
    keys = Keys(
        open_signer(settings.compliance_key, password),
        open_message_key(settings.message_key, password),
        open_message_key(settings.token_key, password),
    )
    network = load_network(settings.network)
    client = ChainClient(settings.chain_url, settings.finality, network.validators)
    directory = ChainKeyDirectory(Participants(client, network.contracts.participants.address))
    return assemble(settings, keys, ChainSide(network, client, directory, ChainClock()))


def assemble(settings: ComplianceSettings, keys: Keys, chain: ChainSide) -> FastAPI:
    """The service from opened keys and a chain."""
    policy, catalogue = load_policy(settings.policy), load_catalogue(settings.sanctions_list)
    database = Database(settings.place(), settings.state())
    migrate(database, MIGRATIONS)
    database.write(lambda connection: remember_version(connection, policies, policy.version, policy.content))
    keeper = ListKeeper(database, policy, catalogue)

    office, time = Office(chain.network), ChainTime(chain.clock, settings.chain_tolerance)
    # Until the chain has been asked for its newest final block, nobody knows how long to be quiet.
    record = SignedRecord(signed, NOT_SEEN if database.restored else None)
    follower = Follower(database, chain.client, chain.network, record, time, office, settings.follow_interval)
    rules, tags = keeper.rules, AccountTags(account_secret(keys.token))
    updater = ListUpdater(keeper, Rescreening(database, rules, time))
    screening = ScreeningService(database, settings.account, rules, time, chain.directory, tags)
    attesting = AttestationService(database, settings.account, rules, time, record, keys.compliance, office)
    holds = HoldsService(database, settings.account, rules, time, tags)
    inquiries = InquiriesService(database, settings.account, holds, time)
    messenger = Messenger(settings.account, keys.message, chain.directory)
    courier = Courier(inquiries, PeerClient(messenger), chain.directory)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        follower.start()
        updater.start()
        courier.start()
        try:
            yield
        finally:
            await run_in_threadpool(courier.stop)
            await run_in_threadpool(updater.stop)
            await run_in_threadpool(follower.stop)
            database.close()

    app = new_app(
        f"Feiqian compliance: {settings.name}",
        "Screens payments and attests to batches for one institution.",
        lifespan,
        Readiness(database, {"backup": record.require_whole, "chain": time.now, "lists": keeper.require_fresh}),
    )
    app.state.peer_door = PeerDoor(messenger, ReplayGuard(database, seen_messages), settings.endpoint)
    app.state.tokens = Tokens(settings.name, keys.token)
    rooms = (
        peer_router(settings.account, screening, attesting),
        inquiries_peer_router(settings.account, inquiries),
        *_for_people(database, policy, keeper, holds, inquiries, time),
    )
    for room in rooms:
        app.include_router(room)
    return app


def _for_people(
    database: Database,
    policy: Policy,
    keeper: ListKeeper,
    holds: HoldsService,
    inquiries: InquiriesService,
    time: ChainTime,
) -> tuple[APIRouter, ...]:
    """What officers and auditors ask."""
    decisions, judging = DecisionsService(database), FalsePositivesService(database, keeper, time)
    return (
        officer_router(decisions, policy),
        lists_router(keeper, ListsService(database)),
        judging_router(keeper, judging),
        alerts_router(AlertsService(database, judging, time)),
        holds_router(holds),
        cases_router(CasesService(database, holds, time)),
        inquiries_router(inquiries),
        statistics_router(StatisticsService(database, policy.calendar, time)),
        auditor_router(decisions),
        log_router(LogService(database)),
    )


def account_secret(key: MessageKey) -> bytes:
    """What keys the tags of debtor accounts: derived, so that the database alone does not tell whose totals it has."""
    return hmac.digest(key.seed, b"feiqian compliance: account tags", hashlib.sha256)
