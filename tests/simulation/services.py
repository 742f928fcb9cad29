"""The services, wired as their `app.py` wires them, without HTTP servers and keystores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from bridge.attesting import OwnCompliance
from bridge.context import BridgeContext
from bridge.endpoints import peers as bridge_router
from bridge.following import Follower as BridgeFollower
from bridge.rates.reference import ReferenceRates, reference_rates
from bridge.settings import BridgeSettings
from bridge.tables import seen_messages as bridge_seen
from bridge.tables import signed as bridge_signed
from compliance.app import account_secret
from compliance.attesting import AttestationService
from compliance.chaintime import ChainTime
from compliance.client import ComplianceClient
from compliance.endpoints import peer_router
from compliance.following import Follower as ComplianceFollower
from compliance.holds.service import HoldsService
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import NameIndex
from compliance.policy import SHIPPED_POLICY, Policy, read_policy
from compliance.repository import remember_version
from compliance.screening.log import AccountTags
from compliance.screening.record import Versions
from compliance.screening.rulebook import RuleBook
from compliance.screening.service import ScreeningService
from compliance.tables import lists, policies
from compliance.tables import seen_messages as compliance_seen
from compliance.tables import signed as compliance_signed
from contracts.chain.client import ChainClient, check_finality
from contracts.chain.clock import ChainClock
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.ledger import Ledger
from contracts.chain.office import Office
from contracts.chain.participants import Participants
from contracts.chain.transactions import TransactionSender
from contracts.terms.parties import Party
from nodes.accounts.service import open_own_accounts
from nodes.app import REGISTRY_MAX_AGE
from nodes.context import NodeContext
from nodes.follow import resume
from nodes.metadata import claims, idempotency_keys, seen_messages, signed
from nodes.payments.admission import Admission
from nodes.peers.endpoints import router as node_router
from nodes.settings import NodeSettings
from nodes.worker import Worker
from serving.claims import Claims
from serving.client import Peer
from serving.cosigning import NOT_SEEN, SignedRecord
from serving.database import Database
from serving.idempotency import IdempotencyKeys
from serving.replay import ReplayGuard
from tests.simulation import cast
from tests.simulation.cast import Institution, message_key, network, signer
from tests.simulation.chain_node import ChainNode
from tests.simulation.databases import Disk
from tests.simulation.scheduler import Host, Process
from tests.simulation.wire import Door, SimulatedMessenger, SimulatedPeerClient, Wire, routes_of

HOLD_SECONDS = 25
RATE_DATE = date(2024, 3, 1)


@dataclass
class Service:
    """One service and its present life. `kind` is "node", "bridge" or "compliance"."""

    kind: str
    institution: Institution
    disk: Disk
    chain: ChainNode
    wire: Wire
    host: Host
    process: Process | None = None
    door: Door | None = None
    context: Any = None
    holds: HoldsService | None = None
    lie: Callable[[str, Any], Any] | None = None
    restored_at: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.kind} {self.institution.name}"

    @property
    def endpoint(self) -> str:
        return self.institution.compliance if self.kind == "compliance" else self.institution.endpoint

    @property
    def up(self) -> bool:
        return self.process is not None and self.process.alive and self.door is not None

    def begin(self, process: Process) -> None:
        """What a process of this service does when it starts, in a task of its own. Raises what is wrong."""
        self.process, self.door = process, None
        door = {"node": _node, "bridge": _bridge, "compliance": _compliance}[self.kind](self, process)
        door.lie = self.lie
        self.door = self.wire.doors[self.endpoint] = door

    def directory(self, client: ChainClient) -> ChainKeyDirectory:
        return ChainKeyDirectory(Participants(client, cast.PARTICIPANTS), REGISTRY_MAX_AGE)


def _node(service: Service, process: Process) -> Door:
    who, net = service.institution, network()
    chain = ChainClient(service.chain, "tag")
    newest = check_finality(chain, net.chain_id)
    directory = service.directory(chain)
    database = Database(service.disk.path)
    messenger = SimulatedMessenger(who.account, directory)
    client = SimulatedPeerClient(messenger, service.wire, process)
    own = signer(f"{who.name}/settlement")
    node = NodeContext(
        settings=node_settings(who),
        database=database,
        network=net,
        chain=chain,
        office=Office(net),
        sender=TransactionSender(chain, own),
        clock=ChainClock(),
        directory=directory,
        signer=own,
        peers=client,
        compliance=ComplianceClient(client, Peer(who.account, who.compliance)),
        signed=SignedRecord(signed, newest.timestamp if database.restored else None),
        idempotency=IdempotencyKeys(idempotency_keys, message_key(who.name).seed),
        claims=Claims(database, claims),
        admission=Admission(node_settings(who).payment_lifetime, node_settings(who).room),
    )
    institution = Party(node.settings.name, "organization", node.settings.country)
    database.write(lambda connection: open_own_accounts(connection, node.currency, institution))
    resume(node)
    service.context = node
    Worker(node).start()
    guard = ReplayGuard(database, seen_messages)
    routes = routes_of(node_router, [node])
    return Door(process, service.endpoint, messenger, guard, routes, service.wire, service.disk)


def _bridge(service: Service, process: Process) -> Door:
    who, net = service.institution, network()
    chain = ChainClient(service.chain, "tag")
    newest = check_finality(chain, net.chain_id)
    directory = service.directory(chain)
    messenger = SimulatedMessenger(who.account, directory)
    client = SimulatedPeerClient(messenger, service.wire, process)
    database = Database(service.disk.path)
    bridge = BridgeContext(
        settings=bridge_settings(who),
        database=database,
        network=net,
        chain=chain,
        ledger=Ledger(chain, cast.LEDGER),
        office=Office(net),
        directory=directory,
        clock=ChainClock(),
        signer=signer(f"{who.name}/settlement"),
        rates=_rates(),
        compliance=OwnCompliance(client, Peer(who.account, who.compliance)),
        signed=SignedRecord(bridge_signed, newest.timestamp if database.restored else None),
    )
    service.context = bridge
    BridgeFollower(bridge).start()
    guard = ReplayGuard(database, bridge_seen)
    return Door(
        process, service.endpoint, messenger, guard, routes_of(bridge_router, [bridge]), service.wire, service.disk
    )


def _compliance(service: Service, process: Process) -> Door:
    who, net = service.institution, network()
    chain = ChainClient(service.chain, "tag")
    directory = service.directory(chain)
    policy, book = _rules()
    database = Database(service.disk.path)
    database.write(lambda connection: remember_version(connection, policies, policy.version, policy.content))
    listed = load_list_once()
    database.write(lambda connection: remember_version(connection, lists, listed.version, listed.content))
    office, time = Office(net), ChainTime(ChainClock(), 20)
    record = SignedRecord(compliance_signed, NOT_SEEN if database.restored else None)
    tags = AccountTags(account_secret(message_key(who.name)))
    screening = ScreeningService(database, who.account, book, time, directory, tags)
    key = signer(f"{who.name}/compliance")
    attesting = AttestationService(database, who.account, book, time, record, key, office)
    service.holds = HoldsService(database, who.account, book, time, tags)
    ComplianceFollower(database, chain, net, record, time, office, 0.5).start()
    messenger = SimulatedMessenger(who.account, directory)
    guard = ReplayGuard(database, compliance_seen)
    routes = routes_of(peer_router(who.account, screening, attesting), [])
    return Door(process, service.endpoint, messenger, guard, routes, service.wire, service.disk)


def _shared(who: Institution, endpoint: str) -> dict[str, Any]:
    return {"name": who.name, "account": who.account, "endpoint": endpoint, "compliance_endpoint": who.compliance}


@cache
def node_settings(who: Institution) -> NodeSettings:
    assert who.unit
    assert who.scheme
    return NodeSettings.model_construct(
        **_shared(who, who.endpoint),
        currency=who.unit.alpha,
        country=who.country,
        merchant_scheme=who.scheme.name,
        merchant_prefix=who.scheme.prefix,
        issuer_prefix=who.name.upper()[:8],
    )


@cache
def bridge_settings(who: Institution) -> BridgeSettings:
    return BridgeSettings.model_construct(**_shared(who, who.endpoint), rate_date=RATE_DATE)


@cache
def _rates() -> ReferenceRates:
    return reference_rates(RATE_DATE)


@cache
def load_list_once() -> Any:
    return load_list(SHIPPED_LIST)


@cache
def _rules() -> tuple[Policy, RuleBook]:
    shipped = SHIPPED_POLICY.read_text()
    policy = read_policy(shipped.replace("seconds = 86400", f"seconds = {HOLD_SECONDS}"))
    assert policy.hold_seconds == HOLD_SECONDS
    listed = load_list_once()
    return policy, RuleBook(policy, NameIndex(listed.entries), Versions(policy.version, listed.version))


def migrations_of(kind: str) -> Path:
    """The Alembic scripts of a kind of service."""
    return Path(__file__).parents[2] / {"node": "nodes"}.get(kind, kind) / "migrations"
