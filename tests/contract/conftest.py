"""A founded network on an in-process chain, put back to the same block after each test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contracts.chain.abi import encode_call
from contracts.chain.client import ChainClient, Finality, Receipt
from contracts.chain.council import Call, Council
from contracts.chain.deploy import CouncilTerms, deploy_network
from contracts.chain.ledger import Ledger
from contracts.chain.network import Contracts
from contracts.chain.participants import NO_ADDRESS, Admission, Participants
from contracts.chain.rpc import Transport
from contracts.chain.settlement import Settlement
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch, Endorsement, Position, SignedBatch
from contracts.terms.commitments import attestation_hash, batch_hash, domain_separator, keccak, typed_digest
from contracts.terms.errors import FeiqianError
from contracts.terms.identifiers import Address, lei_with_check_digits
from contracts.terms.money import currency
from contracts.terms.parties import Participant, Role, Status
from contracts.terms.signing import LocalSigner
from devnet.chain import open_chain
from devnet.chain.provider import InProcessProvider
from tests.contract.anvil.server import anvil

CHAIN_ID = 7_780
CNY, THB = 156, 764
FUNDS = 1_000_000
AGENTS = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT
ROLES: Mapping[str, Role] = {
    "wallet": AGENTS,
    "acquirer": AGENTS,
    "provider": Role.FX_PROVIDER,
    "bank_cny": Role.SETTLEMENT_BANK,
    "bank_thb": Role.SETTLEMENT_BANK,
}


def private_key(name: str) -> bytes:
    return keccak(b"test key of " + name.encode())


def signer(name: str) -> LocalSigner:
    return LocalSigner(private_key(name))


def admission(name: str, roles: Role) -> Admission:
    """A participant with the account key `name`, the keys `name/settlement` and, if it may be a member,
    `name/compliance`."""
    is_member = bool(roles & ~(Role.SETTLEMENT_BANK | Role.AUDITOR))
    participant = Participant(
        account=signer(name).address,
        lei=lei_with_check_digits(keccak(name.encode()).hex()[:18].upper()),
        bic="FEIQCNB1XXX",
        country="CN",
        roles=roles,
        status=Status.ACTIVE,
        message_key=keccak(b"message key of " + name.encode()) if is_member else b"",
        endpoint=f"http://{name}.test",
        codes=(f"TEST:{name}",) if is_member else (),
    )
    compliance = signer(f"{name}/compliance").address if is_member else NO_ADDRESS
    return Admission(participant, signer(f"{name}/settlement").address, compliance)


@dataclass(frozen=True)
class Stage:
    """The network of one test, with the transactions and signatures that its roles make."""

    client: ChainClient
    contracts: Contracts

    @property
    def council(self) -> Council:
        return Council(self.client, self.contracts.council.address)

    @property
    def participants(self) -> Participants:
        return Participants(self.client, self.contracts.participants.address)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.client, self.contracts.ledger.address)

    @property
    def settlement(self) -> Settlement:
        return Settlement(self.client, self.contracts.settlement.address)

    @property
    def validators(self) -> list[Address]:
        return [signer("validator").address]

    def sender(self, name: str) -> TransactionSender:
        return TransactionSender(self.client, signer(name))

    def account(self, name: str) -> Address:
        return signer(name).address

    def govern(self, *calls: Call) -> list[Receipt]:
        """Two of the three governors carry calls."""
        return self.council.carry([self.sender("governor_1"), self.sender("governor_2")], calls)

    def govern_participants(self, *data: bytes) -> list[Receipt]:
        return self.govern(*(Call(self.participants.address, each) for each in data))

    def govern_ledger(self, *data: bytes) -> list[Receipt]:
        return self.govern(*(Call(self.ledger.address, each) for each in data))

    def send(self, name: str, contract: str, function: str, *arguments: object) -> Receipt:
        """Call any function of a contract as a role."""
        address: Address = getattr(self.contracts, contract.lower()).address
        return self.sender(name).transact(address, encode_call(contract, function, *arguments))

    def now(self) -> int:
        return self.client.newest_timestamp()

    def pass_time(self, seconds: int) -> None:
        """The next block is `seconds` later than it would be, on any engine."""
        self.client.request("evm_setNextBlockTimestamp", self.now() + 1 + seconds)
        self.client.request("evm_mine")

    def admission(self, name: str, roles: Role) -> Admission:
        return admission(name, roles)

    def batch(self, *moves: tuple[str, int, int], also: Sequence[str] = (), **changes: object) -> Batch:
        """A batch of the wallet with these (name, currency, delta) positions; by default 100 CNY for 500 THB."""
        moves = moves or (
            ("wallet", CNY, -100),
            ("provider", CNY, 100),
            ("provider", THB, -500),
            ("acquirer", THB, 500),
        )
        positions = [Position(self.account(name), currency, delta) for name, currency, delta in moves]
        members = {self.account(name) for name, _, _ in moves} | {self.account(name) for name in (*also, "wallet")}
        batch = Batch(
            debtor_agent=self.account("wallet"),
            lane=0,
            sequence=0,
            payments_root=keccak(b"payments"),
            payment_count=3,
            members=tuple(sorted(members)),
            positions=tuple(sorted(positions, key=lambda each: (each.currency, each.account))),
            deadline=self.now() + 15,
        )
        return replace(batch, **changes)  # type: ignore[arg-type]

    def endorse(self, batch: Batch, chain_id: int = CHAIN_ID, valid_for: int = 15) -> SignedBatch:
        """The batch with the right signatures of all its members."""
        return SignedBatch(batch, tuple(self.endorsement(batch, each, chain_id, valid_for) for each in batch.members))

    def endorsement(
        self,
        batch: Batch,
        member: Address,
        chain_id: int = CHAIN_ID,
        valid_for: int = 15,
        name: str | None = None,
        attester: str = "compliance",
    ) -> Endorsement:
        """A member's two signatures, by the keys of `name` (by default whose account it is)."""
        name = name or next(each for each in (*ROLES, *EXTRAS) if self.account(each) == member)
        domain = domain_separator(chain_id, self.settlement.address)
        attestation = Attestation(batch_hash(batch), keccak(b"policy"), keccak(b"log"), self.now() + valid_for)
        return Endorsement(
            signer(f"{name}/settlement").sign(typed_digest(domain, batch_hash(batch))),
            attestation,
            signer(f"{name}/{attester}").sign(typed_digest(domain, attestation_hash(attestation))),
        )

    def settle(self, *batches: SignedBatch) -> Receipt:
        return self.settlement.settle(self.sender("relayer"), batches)

    def net(self, name: str, currency: int) -> int:
        return self.ledger.net_position(self.account(name), currency)

    def books(self) -> dict[tuple[str, int], int]:
        """All positions that the standard batch touches."""
        return {(name, currency): self.net(name, currency) for name in ROLES for currency in (CNY, THB)}


EXTRAS = tuple(f"extra_{number}" for number in range(13))
GOVERNORS = ("governor_1", "governor_2", "governor_3")
MEMBERS = tuple(key for each in (*ROLES, *EXTRAS) for key in (each, f"{each}/settlement", f"{each}/compliance"))
FUNDED = ("deployer", "relayer", "stranger", "guardian", *GOVERNORS, *MEMBERS)


def reason_of(failure: pytest.ExceptionInfo[FeiqianError]) -> object:
    return failure.value.fields.get("contract_reason")


class refused:
    """A context that a contract must leave with exactly this reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._raises = pytest.raises(FeiqianError)

    def __enter__(self) -> None:
        self._failure = self._raises.__enter__()

    def __exit__(self, *failure: object) -> bool:
        swallowed = self._raises.__exit__(*failure)  # type: ignore[arg-type]
        assert reason_of(self._failure) == self._reason
        return swallowed


def genesis(names: Sequence[str]) -> dict[str, object]:
    return {
        "chainId": CHAIN_ID,
        "timestamp": 1_700_000_000,
        "gasLimit": 60_000_000,
        "validators": [signer("validator").address],
        "alloc": {signer(name).address: {"balance": hex(10**24)} for name in names},
    }


@contextmanager
def embedded() -> Iterator[Transport]:
    """Our own chain in this process."""
    chain = open_chain(genesis(FUNDED), ":memory:", private_key("validator"), dev=True)
    yield InProcessProvider(chain)
    chain.close()


@pytest.fixture(scope="session")
def transport(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transport]:
    """The engine that `--engine` names: our own chain in this process, or anvil in another one."""
    on_anvil = request.config.getoption("engine") == "anvil"
    with anvil(genesis(FUNDED), tmp_path_factory.mktemp("anvil")) if on_anvil else embedded() as node:
        yield node


@pytest.fixture(scope="session")
def finality(request: pytest.FixtureRequest) -> Finality:
    """Only our own chain seals its blocks."""
    return "seals" if request.config.getoption("engine") == "embedded" else "instant"


def found(transport: Transport, finality: Finality) -> Stage:
    """Contracts deployed, members admitted, balances issued."""
    client = ChainClient(transport, finality, [signer("validator").address])
    governors = tuple(signer(name).address for name in GOVERNORS)
    terms = CouncilTerms(governors, quorum=2, delay=0, guardian=signer("guardian").address)
    stage = Stage(client, deploy_network(TransactionSender(client, signer("deployer")), terms))
    stage.govern_participants(
        *(Participants.admit_call(admission(name, roles)) for name, roles in ROLES.items()),
        Participants.set_settlement_bank_call(CNY, stage.account("bank_cny")),
        Participants.set_settlement_bank_call(THB, stage.account("bank_thb")),
    )
    stage.govern_ledger(Ledger.define_currency_call(currency("CNY")), Ledger.define_currency_call(currency("THB")))
    stage.send("bank_cny", "Ledger", "issue", stage.account("wallet"), CNY, FUNDS)
    stage.send("bank_thb", "Ledger", "issue", stage.account("provider"), THB, FUNDS)
    return stage


@pytest.fixture(scope="session")
def founded(transport: Transport, finality: Finality) -> Stage:
    return found(transport, finality)


@pytest.fixture(name="refused")
def _refused() -> type[refused]:
    return refused


@pytest.fixture
def stage(founded: Stage) -> Iterator[Stage]:
    snapshot = founded.client.request("evm_snapshot")
    yield founded
    assert founded.client.request("evm_revert", snapshot)


class Answering(BaseHTTPRequestHandler):
    server: Node
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet: else the kernel waits 40 ms between the two

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = self.server.answer(request)
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Node(ThreadingHTTPServer):
    """A JSON-RPC node that answers each request with the bytes which `answer` makes of it."""

    daemon_threads = True
    answer: Callable[[Any], bytes]

    def handle_error(self, *_: object) -> None:
        """A slow node's client is gone by the time it answers."""


@pytest.fixture
def http_node(transport: Transport) -> Iterator[Node]:
    """The chain over HTTP; a test may have it answer anything else."""
    server = Node(("127.0.0.1", 0), Answering)

    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return [answer(each) for each in request]
        return transport.make_request(request["method"], request["params"]) | {"id": request["id"]}

    server.answer = lambda request: json.dumps(answer(request)).encode()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
