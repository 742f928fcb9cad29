"""Compliance services of three institutions, served over HTTP, with the time of a real chain that the tests move."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from compliance.app import MIGRATIONS, ChainSide, Keys, assemble
from compliance.client import (
    AttestationRefusal,
    AttestationRequest,
    ComplianceClient,
    Decision,
    Screening,
    SignedAttestation,
)
from compliance.settings import ComplianceSettings
from contracts.chain.client import ChainClient
from contracts.chain.clock import ChainClock
from contracts.chain.network import Contracts, Network, PinnedContract
from contracts.terms.batch import Batch, members_of, net_positions
from contracts.terms.commitments import (
    domain_separator,
    payment_leaf,
)
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.merkle import MerkleTree
from contracts.terms.parties import Participant, Party, Role, Status
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.signing import LocalSigner
from devnet.chain import open_chain
from devnet.chain.provider import InProcessProvider
from serving.auth import Tokens
from serving.client import Peer, PeerClient
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.settings import load_settings
from tests import plain_http
from tests.databases import place, text_of

CHAIN_ID, CNY, THB, EUR, ISK = 7_781, 156, 764, 978, 352
NOON = 1_700_049_600
VALIDATOR_KEY = bytes([9]) * 32
VALIDATOR = LocalSigner(VALIDATOR_KEY)
SETTLEMENT = "0x" + "5e" * 20
WALLET, PROVIDER, ACQUIRER, STRANGER = (f"0x{digit * 40}" for digit in "1234")
COUNTRIES = {WALLET: "CN", PROVIDER: "SG", ACQUIRER: "TH", STRANGER: "KP"}
MESSAGE_KEYS = {account: MessageKey(bytes([number]) * 32) for number, account in enumerate(COUNTRIES, start=1)}
SIDES = {WALLET: "debtor", ACQUIRER: "creditor", PROVIDER: "provider"}
COMPLIANCE_KEY = LocalSigner(bytes([7]) * 32)
TOKEN_KEY = MessageKey(bytes([8]) * 32)
BUYER = Party("Wang Xiaoming", "person", "CN", "1990-04-01", "CN", "6222000000000001")
MERCHANT = Party("Bangkok Mango Rice", "organization", "TH")
LEGS = (Leg(WALLET, PROVIDER, CNY, 10_000), Leg(PROVIDER, ACQUIRER, THB, 48_000))


class Directory:
    """Real keys, as the registry on chain would give them."""

    def participant(self, account: str) -> Participant | None:
        if account not in COUNTRIES:
            return None
        key = MESSAGE_KEYS[account].public
        return Participant(account, "", "", COUNTRIES[account], Role(7), Status.ACTIVE, key, "", ())

    def message_keys(self, account: str) -> tuple[bytes, ...]:
        return (MESSAGE_KEYS[account].public,) if account in COUNTRIES else ()


QUIET = 60.0
"""Seconds without a block: far less than the services' tolerance."""


@dataclass
class DevChain:
    """A chain whose time the test sets."""

    network: Network
    client: ChainClient
    mined_at: float = field(default_factory=time.monotonic)

    def pass_time(self, seconds: int) -> None:
        self.client.request("evm_increaseTime", seconds)
        self.mine()

    def mine(self) -> None:
        self.client.request("evm_mine")
        self.mined_at = time.monotonic()


@dataclass
class Service:
    """One institution's running service and those who call it."""

    settings: ComplianceSettings
    chain: DevChain
    clock: ChainClock
    stop: Callable[[], None]

    def client(self, account: str | None = None, key_of: str | None = None) -> PeerClient:
        """Calls as an institution, by default the service's own; with another's key it is a forger."""
        account = account or self.settings.account
        return PeerClient(Messenger(account, MESSAGE_KEYS[key_of or account], Directory()))

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what another thread does; the test's own time-out bounds it."""
        _until(happened)

    @property
    def domain(self) -> bytes:
        """The EIP-712 domain separator of the network."""
        return domain_separator(CHAIN_ID, SETTLEMENT)

    @property
    def compliance_key(self) -> str:
        return COMPLIANCE_KEY.address

    @property
    def peer(self) -> Peer:
        return Peer(self.settings.account, self.settings.endpoint)

    @cached_property
    def compliance(self) -> ComplianceClient:
        return ComplianceClient(self.client(), self.peer)

    def get(self, path: str, *scopes: str) -> httpx2.Response:
        return self.request("GET", path, "officer", *scopes)

    def request(
        self, method: str, path: str, subject: str, *scopes: str, content: bytes | None = None
    ) -> httpx2.Response:
        token = Tokens(self.settings.name, TOKEN_KEY).issue(subject, list(scopes))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = self.settings.endpoint + path
        return plain_http.request(method, url, content=content, headers=headers)

    def officer(self, name: str, action: str, asked: Screening, note: str = "I looked at it") -> httpx2.Response:
        """What an officer does about a hold: "release" or "refuse"."""
        path, content = f"/v1/holds/{asked.uetr}/{asked.side}/{action}", json.dumps({"note": note}).encode()
        return self.request("POST", path, name, "compliance:officer", content=content)

    def queue(self, query: str = "") -> Any:
        """What waits for officers."""
        answer = self.get(f"/v1/holds{query}", "compliance:officer")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def similar(self, **changes: Any) -> Screening:
        """A payment whose debtor's name only resembles a listed one."""
        return self.question(debtor=self.buyer(name="Vladimir Putyn", birth_date=""), **changes)

    def question(self, **changes: Any) -> Screening:
        """A payment as this institution would ask about it."""
        account = self.settings.account
        known = account != PROVIDER
        asked = Screening(
            uetr=str(uuid.uuid4()),
            side=SIDES[account],
            debtor=BUYER if known else None,
            creditor=MERCHANT if known else None,
            debtor_agent=WALLET,
            creditor_agent=ACQUIRER,
            legs=tuple(leg for leg in LEGS if account in (leg.source, leg.target)),
        )
        return replace(asked, **changes)

    def buyer(self, **changes: str) -> Party:
        return replace(BUYER, **changes)

    def decide(self, screening: Screening) -> Decision:
        [answer] = self.compliance.screen([screening])
        assert isinstance(answer, Decision), answer
        return answer

    def attest(self, batch: Batch, *own: IncludedPayment) -> SignedAttestation | AttestationRefusal:
        [answer] = self.compliance.attest([AttestationRequest(batch, own)])
        return answer

    def refused(self, batch: Batch, *own: IncludedPayment) -> tuple[str, str]:
        answer = self.attest(batch, *own)
        assert isinstance(answer, AttestationRefusal), answer
        return answer.problem, answer.detail

    def batch(self, *payments: PaymentTerms, **changes: Any) -> tuple[Batch, list[IncludedPayment]]:
        tree = MerkleTree([payment_leaf(terms) for terms in payments])
        batch = Batch(
            debtor_agent=payments[0].debtor_agent,
            lane=0,
            sequence=0,
            payments_root=tree.root,
            payment_count=len(payments),
            members=members_of(payments),
            positions=net_positions(payments),
            deadline=self.clock.now() + 10,
        )
        included = [IncludedPayment(terms, tree.path(place)) for place, terms in enumerate(payments)]
        return replace(batch, **changes), included

    def terms(self, screening: Screening, decision: Decision | None = None, **changes: Any) -> PaymentTerms:
        own = (decision.party_commitment, decision.decision_commitment) if decision else (bytes(32), bytes(32))
        side = {"debtor": own} if screening.side == "debtor" else {screening.side: own}
        debtor, creditor = (side.get(name, (bytes([1]) * 32, bytes([2]) * 32)) for name in ("debtor", "creditor"))
        terms = PaymentTerms(
            uetr=screening.uetr,
            debtor_agent=screening.debtor_agent,
            creditor_agent=screening.creditor_agent,
            legs=LEGS,
            quotes_hash=bytes([3]) * 32,
            debtor_commitment=debtor[0],
            creditor_commitment=creditor[0],
            debtor_decision=debtor[1],
            creditor_decision=creditor[1],
            deadline=self.clock.now() + 30,
        )
        return replace(terms, **changes)


@pytest.fixture(scope="session")
def chain() -> Iterator[DevChain]:
    """The chain whose time all services share."""
    with contextmanager(_dev_chain)() as opened:
        yield opened


@pytest.fixture(autouse=True)
def a_living_chain(chain: DevChain) -> None:
    """However long all tests take, services that last for all of them hear of a new block before they give up."""
    if time.monotonic() - chain.mined_at > QUIET:
        chain.mine()


@pytest.fixture
def other_chain() -> Iterator[DevChain]:
    """A chain of one test's own."""
    with contextmanager(_dev_chain)() as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path, chain: DevChain) -> Iterator[Callable[..., Service]]:
    """Start services of institutions; all end with the test."""
    with contextmanager(_starter)(tmp_path, chain) as starter:
        yield starter


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, chain: DevChain) -> Iterator[Service]:
    """The wallet's service, for tests that leave it as good as they found it."""
    with contextmanager(_starter)(tmp_path_factory.mktemp("compliance"), chain) as starter:
        yield starter()


def _dev_chain() -> Iterator[DevChain]:
    genesis = {
        "chainId": CHAIN_ID,
        "timestamp": NOON,
        "gasLimit": 30_000_000,
        "validators": [VALIDATOR.address],
        "alloc": {},
    }
    with closing(open_chain(genesis, ":memory:", VALIDATOR_KEY, dev=True)) as opened:
        pins = [PinnedContract("0x" + pair * 20, bytes(32)) for pair in ("c0", "9a", "1e")]
        contracts = Contracts(*pins, PinnedContract(SETTLEMENT, bytes(32)))
        network = Network("test", CHAIN_ID, NOON, 30_000_000, (VALIDATOR.address,), {}, contracts)
        client = ChainClient(InProcessProvider(opened), "seals", [VALIDATOR.address])
        client.request("evm_mine")
        yield DevChain(network, client)


def _starter(folder: Path, shared: DevChain) -> Iterator[Callable[..., Service]]:
    running: list[Callable[[], None]] = []

    def start(account: str = WALLET, chain: DevChain = shared, ready: bool = True, **more: Any) -> Service:
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        settings = _settings(folder, account, port, **more)
        clock = ChainClock()
        app = assemble(
            settings,
            Keys(COMPLIANCE_KEY, MESSAGE_KEYS[account], TOKEN_KEY),
            ChainSide(chain.network, chain.client, Directory(), clock),
        )
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        running.append(stop)
        service = Service(settings, chain, clock, stop)
        _until(lambda: clock.final_time() > 0 or not ready)
        return service

    yield start
    for stop in running:
        stop()


def _settings(folder: Path, account: str, port: int, **more: Any) -> ComplianceSettings:
    values = {
        "name": f"compliance of {account[:6]}",
        "account": account,
        "port": port,
        "endpoint": f"http://127.0.0.1:{port}",
        "database": text_of(place(folder / f"{account[:6]}.db", MIGRATIONS)),
        "state_folder": str(folder),
        "chain_url": "http://127.0.0.1:1",
        "chain_tolerance": 300,
        "follow_interval": 0.02,
    }
    opened_by_the_test = ("network", "message_key", "token_key", "compliance_key", "password_file")
    values |= dict.fromkeys(opened_by_the_test, "-") | {name: _plain(value) for name, value in more.items()}
    file = folder / f"{port}.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return load_settings(ComplianceSettings, file)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _until(happened: Callable[[], bool]) -> None:
    tick = threading.Event()
    while not happened():
        tick.wait(0.01)
