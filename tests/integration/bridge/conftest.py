"""A network with one FX provider: a chain behind HTTP, the provider's compliance and bridge, each served for real."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from bridge.app import create_app
from bridge.client import (
    BridgeClient,
    Cosignature,
    CosignRequest,
    FirmQuote,
    QuoteRequest,
    Refusal,
    ReservationRequest,
    Reserved,
)
from bridge.settings import BridgeSettings
from compliance.app import create_app as create_compliance
from compliance.settings import ComplianceSettings
from contracts.chain.client import ChainClient
from contracts.chain.council import Call, Council
from contracts.chain.deploy import (
    CouncilTerms,
    addresses_of,
    deploy_network,
    planned_contracts,
    settlement_creation,
)
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network
from contracts.chain.participants import NO_ADDRESS, Admission, Participants
from contracts.chain.settlement import Settlement
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch, Endorsement, SignedBatch, members_of, net_positions
from contracts.terms.commitments import (
    attestation_hash,
    batch_hash,
    domain_separator,
    keccak,
    payment_leaf,
    quotes_hash,
    typed_digest,
)
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.identifiers import Address, lei_with_check_digits, new_uetr
from contracts.terms.merkle import MerkleTree
from contracts.terms.money import currency
from contracts.terms.parties import Participant, Role, Status
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.signing import LocalSigner
from devnet.chain import open_chain
from devnet.chain.server import ChainServer
from serving import jsontext
from serving.auth import Tokens
from serving.client import Peer, PeerClient
from serving.keys import MessageKey, write_keystore
from serving.messages import Messenger
from serving.settings import load_settings
from tests import plain_http
from tests.databases import place, text_of

CHAIN_ID = 7_781
CNY, THB, SGD = 156, 764, 702
STOCK = 2_000_000
HASH = b"\x07" * 32
AGENTS = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT
ROLES = {"wallet": AGENTS, "acquirer": AGENTS, "provider": Role.FX_PROVIDER, "bank": Role.SETTLEMENT_BANK}
RATE_DATE = "2024-03-03"
PASSWORD = "a password for tests"


def secret(name: str) -> bytes:
    return keccak(b"bridge test key of " + name.encode())


def signer(name: str) -> LocalSigner:
    return LocalSigner(secret(name))


def account(name: str) -> Address:
    return signer(name).address


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def until(condition: Callable[[], Any], what: str, patience: float = 15.0) -> Any:
    """What `condition` gives once it gives something."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)
    return found


@contextmanager
def served(make_app: Callable[[], Any], port: int) -> Iterator[None]:
    """An ASGI application on a loopback port, in a thread of its own."""
    config = uvicorn.Config(make_app, factory=True, port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), "the service answers")
    assert server.started
    yield
    server.should_exit = True
    thread.join()


@dataclass
class Stage:
    """A network with one provider, whose bridge and compliance run, and a wallet that asks them."""

    folder: Path
    network: Network
    client: ChainClient
    endpoint: str
    compliance_port: int
    compliance: ExitStack
    bridge: ExitStack
    clients: dict[str, BridgeClient] = field(default_factory=dict)
    prepared: int = 0

    @property
    def domain(self) -> bytes:
        return domain_separator(CHAIN_ID, self.settlement.address)

    @property
    def settlement(self) -> Settlement:
        """The Settlement in office."""
        return Settlement(self.client, Ledger(self.client, self.network.contracts.ledger.address).settlement())

    def approved_successor(self) -> Callable[[], None]:
        """A successor that the council has approved: the call puts it in office, and then the bridge has seen it. What
        was signed before has only seconds, of which the way through the council would take some."""
        contracts, old = self.network.contracts, self.settlement.address
        creation = settlement_creation(addresses_of(contracts), old)
        new = TransactionSender(self.client, signer("wallet")).transact(None, creation).contract
        assert new is not None
        call = Call(contracts.ledger.address, Ledger.replace_settlement_call(old, new))
        council = Council(self.client, contracts.council.address)
        first, second = (TransactionSender(self.client, signer(name)) for name in ("governor_1", "governor_2"))
        number = council.propose(first, [call])
        council.approve(second, number, [call])

        def put_in_office() -> None:
            council.execute(first, number)
            self.followed()

        return put_in_office

    def account(self, name: str) -> Address:
        return account(name)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        return until(condition, what)

    def calls(self, name: str) -> BridgeClient:
        """The bridge as this member asks it."""
        if name not in self.clients:
            peer = Peer(account("provider"), self.endpoint)
            self.clients[name] = BridgeClient(PeerClient(self.messenger(name)), peer)
        return self.clients[name]

    def messenger(self, name: str) -> Messenger:
        """What signs this member's messages."""
        directory = ChainKeyDirectory(Participants(self.client, self.network.contracts.participants.address))
        return Messenger(account(name), MessageKey(secret(f"{name}/message")), directory)

    def bank(self, ledger_call: bytes) -> None:
        """The settlement bank issues or redeems, and the bridge has seen it."""
        TransactionSender(self.client, signer("bank")).transact(self.network.contracts.ledger.address, ledger_call)
        self.followed()

    def now(self) -> int:
        return self.client.final_header().timestamp

    def pass_time(self, seconds: int) -> None:
        """A final block this much later, and the bridge has acted on it."""
        self.client.request("evm_increaseTime", seconds)
        self.client.request("evm_mine")
        self.followed()

    def followed(self) -> None:
        newest = self.client.final_header().number
        until(lambda: self._has_acted_on(newest), "the bridge has followed the chain")

    def govern(self, *participants_calls: bytes) -> None:
        """The council changes the registry, and the bridge has seen it."""
        govern(self.client, self.network, participants_calls)
        self.followed()

    def token(self, *scopes: str, lifetime: int = 3600, key: str = "token") -> str:
        return Tokens("bridge", MessageKey(secret(key))).issue("test", list(scopes), lifetime)

    def get(self, path: str, scope: str = "bridge:read") -> Any:
        response = plain_http.get(self.endpoint + path, headers={"Authorization": f"Bearer {self.token(scope)}"})
        response.raise_for_status()
        return response.json()

    def position(self, code: int) -> Any:
        return next(each for each in self.get("/v1/positions")["positions"] if each["currency"] == code)

    def state(self, uetr: str) -> str | None:
        rows = self.get("/v1/reservations?limit=500")["reservations"]
        return next((row["state"] for row in rows if row["uetr"] == uetr), None)

    def start_compliance(self) -> None:
        settings = load_settings(ComplianceSettings, self.folder / "compliance.toml")
        self.compliance.enter_context(served(lambda: create_compliance(settings), self.compliance_port))

    def start_bridge(self) -> None:
        settings = load_settings(BridgeSettings, self.folder / "bridge.toml")
        self.bridge.enter_context(served(lambda: create_app(settings), settings.port))
        until(self._is_followed, "the bridge has seen the chain")

    def _is_followed(self) -> bool:
        return not isinstance(self.calls("wallet").quote([self.ask(1)])[0], Refusal) if self._alive() else False

    def _alive(self) -> bool:
        return self._has_acted_on(0)

    def _has_acted_on(self, block: int) -> bool:
        """Whether the bridge says so; it may be unable to ask the chain for a moment (503)."""
        try:
            return bool(self.get("/v1/positions")["block"] >= block)
        except httpx2.HTTPError:
            return False

    def ask(self, target_amount: int, source: int = CNY, target: int = THB) -> QuoteRequest:
        return QuoteRequest(new_uetr(), source, target, target_amount=target_amount)

    def bought(self, target_amount: int, by: str = "wallet") -> FirmQuote:
        [answer] = self.calls(by).quote([self.ask(target_amount)])
        assert isinstance(answer, FirmQuote), answer
        return answer

    def payment(self, firm: FirmQuote, lifetime: int = 100, **changes: object) -> ReservationRequest:
        """A payment between wallet and acquirer, by whichever of them bought the quote, just as the quote says."""
        quote, provider = firm.quote, account("provider")
        debtor, creditor = sorted((account("wallet"), account("acquirer")), key=lambda each: each != quote.buyer)
        terms = PaymentTerms(
            uetr=new_uetr(),
            debtor_agent=debtor,
            creditor_agent=creditor,
            legs=(
                Leg(debtor, provider, quote.source_currency, quote.source_amount),
                Leg(provider, creditor, quote.target_currency, quote.target_amount),
            ),
            quotes_hash=quotes_hash([quote]),
            debtor_commitment=HASH,
            creditor_commitment=HASH,
            debtor_decision=HASH,
            creditor_decision=HASH,
            deadline=self.now() + lifetime,
        )
        return ReservationRequest(replace(terms, **changes), quote)  # type: ignore[arg-type]

    def reserve(self, *requests: ReservationRequest, by: str = "wallet") -> Reserved:
        [answer] = self.calls(by).reserve(requests)
        return answer

    def reserved(self, target_amount: int, lifetime: int = 100) -> ReservationRequest:
        """A payment of the wallet that the bridge has reserved."""
        request = self.payment(self.bought(target_amount), lifetime)
        assert self.reserve(request).refused == ()
        return request

    def batch_of(self, payments: Sequence[ReservationRequest], lane: int) -> CosignRequest:
        """A batch of these payments' debtor agent, the next of its lane."""
        terms = [request.terms for request in payments]
        debtor, tree = terms[0].debtor_agent, MerkleTree([payment_leaf(each) for each in terms])
        sequence = self.settlement.next_sequence(debtor, lane)
        deadline = min(self.now() + 14, *(each.deadline for each in terms))
        members, positions = members_of(terms), net_positions(terms)
        batch = Batch(debtor, lane, sequence, tree.root, len(terms), members, positions, deadline)
        return CosignRequest(batch, tuple(IncludedPayment(each, tree.path(i)) for i, each in enumerate(terms)))

    def cosigned(self, request: CosignRequest, by: str = "wallet") -> Cosignature:
        """The bridge's co-signature; its compliance may see a new block a moment later than the bridge."""

        def ask_again() -> Cosignature | None:
            [answer] = self.calls(by).cosign([request])
            return answer if isinstance(answer, Cosignature) else None

        found: Cosignature = self.until(ask_again, "the provider has co-signed")
        return found

    def refusal_to_cosign(self, request: CosignRequest, by: str = "wallet") -> Refusal:
        [answer] = self.calls(by).cosign([request])
        assert isinstance(answer, Refusal)
        return answer

    def settle(self, request: CosignRequest, provider: Endorsement) -> None:
        """The wallet and the acquirer sign too, the batch is final, and the bridge has seen it."""
        batch, endorsements = request.batch, {account("provider"): provider}
        attestation = Attestation(batch_hash(batch), HASH, HASH, batch.deadline)
        for name in ("wallet", "acquirer"):
            endorsements[account(name)] = Endorsement(
                signer(f"{name}/settlement").sign(typed_digest(self.domain, batch_hash(batch))),
                attestation,
                signer(f"{name}/compliance").sign(typed_digest(self.domain, attestation_hash(attestation))),
            )
        signed = SignedBatch(batch, tuple(endorsements[member] for member in batch.members))
        self.settlement.settle(TransactionSender(self.client, signer("wallet")), [signed])
        self.followed()


def admission(name: str, roles: Role) -> Admission:
    member = roles is not Role.SETTLEMENT_BANK
    participant = Participant(
        account=account(name),
        lei=lei_with_check_digits(keccak(name.encode()).hex()[:18].upper()),
        bic="FEIQCNB1XXX",
        country="CN",
        roles=roles,
        status=Status.ACTIVE,
        message_key=MessageKey(secret(f"{name}/message")).public if member else b"",
        endpoint=f"http://{name}.test",
        codes=(),
    )
    return Admission(
        participant, account(f"{name}/settlement"), account(f"{name}/compliance") if member else NO_ADDRESS
    )


def govern(client: ChainClient, network: Network, participants_calls: Sequence[bytes]) -> None:
    carry(client, network, [Call(network.contracts.participants.address, each) for each in participants_calls])


def carry(client: ChainClient, network: Network, calls: Sequence[Call]) -> None:
    governors = [TransactionSender(client, signer(name)) for name in ("governor_1", "governor_2")]
    Council(client, network.contracts.council.address).carry(governors, calls)


def found(client: ChainClient, network: Network) -> None:
    """Deploy, admit, issue."""
    governors = (account("governor_1"), account("governor_2"))
    terms = CouncilTerms(governors, quorum=2, delay=0, guardian=account("guardian"))
    deploy_network(TransactionSender(client, signer("deployer")), terms)
    contracts = network.contracts
    calls = [Participants.admit_call(admission(name, roles)) for name, roles in ROLES.items()]
    calls += [Participants.set_settlement_bank_call(code, account("bank")) for code in (CNY, THB)]
    govern(client, network, calls)
    currencies = [Ledger.define_currency_call(currency(code)) for code in (CNY, THB)]
    carry(client, network, [Call(contracts.ledger.address, each) for each in currencies])
    bank = TransactionSender(client, signer("bank"))
    bank.transact(contracts.ledger.address, Ledger.issue_call(account("wallet"), CNY, 10**9))
    bank.transact(contracts.ledger.address, Ledger.issue_call(account("provider"), THB, STOCK))


SETTINGS = """
name = "{name}"
account = "{account}"
port = {port}
endpoint = "http://127.0.0.1:{port}"
database = "{database}"
network = "{folder}/network.json"
chain_url = "http://127.0.0.1:{chain_port}"
message_key = "{folder}/message.json"
token_key = "{folder}/token.json"
password_file = "{folder}/password"
{more}
"""


def database_of(folder: Path, service: str) -> str:
    return text_of(place(folder / f"{service}.db"))


def write_settings(folder: Path, network: Network, chain_port: int, port: int, compliance_port: int) -> None:
    (folder / "network.json").write_text(jsontext.dump(network.to_json()))
    (folder / "password").write_text(PASSWORD + "\n")
    keys = {"message": "provider/message", "token": "token"}
    keys |= {"settlement": "provider/settlement", "compliance": "provider/compliance"}
    for file, name in keys.items():
        write_keystore(folder / f"{file}.json", secret(name), PASSWORD, cost=2)
    shared = {"account": account("provider"), "folder": folder, "chain_port": chain_port}
    more = f'compliance_key = "{folder}/compliance.json"\nfollow_interval = 0.05'
    compliance = SETTINGS.format(
        name="compliance", database=database_of(folder, "compliance"), port=compliance_port, more=more, **shared
    )
    (folder / "compliance.toml").write_text(compliance)
    more = f'settlement_key = "{folder}/settlement.json"\ncompliance_endpoint = "http://127.0.0.1:{compliance_port}"\n'
    more += f'rate_date = {RATE_DATE}\ncounterparty_value_caps = {{ THB = "15000.00" }}'
    bridge = SETTINGS.format(name="bridge", database=database_of(folder, "bridge"), port=port, more=more, **shared)
    (folder / "bridge.toml").write_text(bridge)


def planned_network() -> Network:
    return Network(
        name="bridge test",
        chain_id=CHAIN_ID,
        timestamp=1_700_000_000,
        gas_limit=60_000_000,
        validators=(account("validator"),),
        alloc={account(name): 10**24 for name in ("deployer", "governor_1", "governor_2", "bank", "wallet")},
        contracts=planned_contracts(account("deployer"), delay=0),
    )


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, network = tmp_path_factory.mktemp("bridge"), planned_network()
    chain_port, port, compliance_port = free_port(), free_port(), free_port()
    write_settings(folder, network, chain_port, port, compliance_port)
    chain = open_chain(network.to_json(), ":memory:", secret("validator"), dev=True)
    with served(lambda: ChainServer(chain).app(), chain_port), ExitStack() as compliance, ExitStack() as bridge:
        client = ChainClient(f"http://127.0.0.1:{chain_port}", "seals", network.validators)
        found(client, network)
        endpoint = f"http://127.0.0.1:{port}"
        built = Stage(folder, network, client, endpoint, compliance_port, compliance, bridge)
        built.start_compliance()
        built.start_bridge()
        yield built
    chain.close()


@pytest.fixture(autouse=True)
def _everything_is_free(stage: Stage) -> Iterator[None]:
    """After each test, whatever it reserved is over, and book and chain agree."""
    yield
    stage.pass_time(301)
    for held in stage.get("/v1/positions")["positions"]:
        assert held["agrees"]
        assert held["reserved"] == "0"
