"""A network with a wallet that pays an acquirer's merchants through a provider, really settled on a chain."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest

from audit.completeness import BatchLeaves
from contracts.chain.client import ChainClient, SealedHeader
from contracts.chain.council import Call, Council
from contracts.chain.deploy import (
    CouncilTerms,
    addresses_of,
    deploy_network,
    planned_contracts,
    settlement_creation,
)
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network, parse_network
from contracts.chain.participants import Admission, Participants
from contracts.chain.proofs import BlockProof, SettledAt, account_proof, fetch_block_proof
from contracts.chain.settlement import Settlement
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Agreement, Attestation
from contracts.terms.batch import Batch, Endorsement, Place, SignedBatch, net_positions
from contracts.terms.commitments import (
    agreement_hash,
    attestation_hash,
    batch_hash,
    domain_separator,
    keccak,
    payment_leaf,
    quote_hash,
    quotes_hash,
    typed_digest,
)
from contracts.terms.evidence import FORMAT, AccountProof, Evidence, SignedAgreement, SignedQuote, write_evidence
from contracts.terms.identifiers import Address, lei_with_check_digits
from contracts.terms.merkle import MerkleTree, root_of
from contracts.terms.money import currency
from contracts.terms.parties import Participant, Role, Status
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote
from contracts.terms.signing import LocalSigner
from devnet.chain import Chain, open_chain
from devnet.chain.provider import InProcessProvider

ROOT = Path(__file__).resolve().parents[3]
AuditCommand = Callable[..., subprocess.CompletedProcess[str]]
CHAIN_ID, CNY, THB = 7_781, 156, 764
AGENTS = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT
ROLES = {"wallet": AGENTS, "acquirer": AGENTS, "provider": Role.FX_PROVIDER, "banker": Role.SETTLEMENT_BANK}
SENDERS = ("deployer", "governor", *ROLES, *(f"{name}/settlement" for name in ROLES))


@cache
def signer(name: str) -> LocalSigner:
    return LocalSigner(keccak(b"audit test key of " + name.encode()))


def account(name: str) -> Address:
    return signer(name).address


def digest(name: str) -> bytes:
    return keccak(name.encode())


def admission(name: str) -> Admission:
    lei = lei_with_check_digits(digest(name).hex()[:18].upper())
    who = Participant(account(name), lei, "FEIQCNB1XXX", "CN", ROLES[name], Status.ACTIVE, digest(name), "", ())
    return Admission(who, account(f"{name}/settlement"), account(f"{name}/compliance"))


@dataclass
class Stage:
    """A network with a wallet that pays an acquirer's merchants through a provider, and what it settled."""

    chain: Chain
    provider: InProcessProvider
    client: ChainClient
    network: Network
    payments: dict[int, tuple[PaymentTerms, ...]] = field(default_factory=dict)
    batches: dict[int, SignedBatch] = field(default_factory=dict)
    quotes: dict[str, SignedQuote] = field(default_factory=dict)
    blocks: dict[int, int] = field(default_factory=dict)
    settled_by: dict[int, Address] = field(default_factory=dict)

    @staticmethod
    def account(name: str) -> Address:
        return account(name)

    successors: list[Address] = field(default_factory=list)

    @property
    def settlements(self) -> tuple[Address, ...]:
        return (self.network.contracts.settlement.address, *self.successors)

    @property
    def settlement(self) -> Address:
        """The Settlement in office."""
        return self.settlements[-1]

    def deployed_successor(self) -> Address:
        creation = settlement_creation(addresses_of(self.network.contracts), self.settlement)
        created = self.sender("deployer").transact(None, creation).contract
        assert created is not None
        return created

    def replace_settlement(self) -> None:
        """The council puts a successor in office."""
        successor, ledger = self.deployed_successor(), self.network.contracts.ledger.address
        self.govern(ledger, Ledger.replace_settlement_call(self.settlement, successor))
        self.successors.append(successor)

    def copied(self) -> Stage:
        """The same stage, to which more can happen."""
        mutable = ("payments", "batches", "quotes", "blocks", "settled_by", "successors")
        return replace(self, **{name: copy(getattr(self, name)) for name in mutable})

    def sender(self, name: str) -> TransactionSender:
        return TransactionSender(self.client, signer(name))

    @property
    def accounts(self) -> tuple[Address, ...]:
        return tuple(account(name) for name in ROLES)

    def sign(self, key: str, struct_hash: bytes, settlement: Address = "") -> bytes:
        """Signed for a Settlement, by default for the one in office."""
        domain = domain_separator(CHAIN_ID, settlement or self.settlement)
        return signer(key).sign(typed_digest(domain, struct_hash))

    def send(self, name: str, contract: str, data: bytes) -> None:
        TransactionSender(self.client, signer(name)).transact(self.network.contracts.pins()[contract].address, data)

    def govern(self, target: Address, *calls: bytes) -> None:
        council = Council(self.client, self.network.contracts.council.address)
        council.carry([TransactionSender(self.client, signer("governor"))], [Call(target, call) for call in calls])

    def payment(self, name: str) -> PaymentTerms:
        now = self.client.newest_timestamp()
        amounts = (100 + len(self.quotes), 500 + len(self.quotes))
        quote = Quote(account("provider"), account("wallet"), CNY, amounts[0], THB, amounts[1], now + 60, digest(name))
        terms = PaymentTerms(
            uetr=str(uuid.UUID(bytes=digest(name)[:16], version=4)),
            debtor_agent=account("wallet"),
            creditor_agent=account("acquirer"),
            legs=(
                Leg(account("wallet"), account("provider"), CNY, amounts[0]),
                Leg(account("provider"), account("acquirer"), THB, amounts[1]),
            ),
            quotes_hash=quotes_hash([quote]),
            debtor_commitment=digest(f"{name} debtor"),
            creditor_commitment=digest(f"{name} creditor"),
            debtor_decision=digest(f"{name} debtor decision"),
            creditor_decision=digest(f"{name} creditor decision"),
            deadline=now + 30,
        )
        self.quotes[terms.uetr] = SignedQuote(quote, self.sign("provider/settlement", quote_hash(quote)))
        return terms

    @staticmethod
    def names(members: tuple[Address, ...]) -> list[str]:
        return [name for member in members for name in ROLES if account(name) == member]

    def bought(self, payment: PaymentTerms, buyer: str) -> PaymentTerms:
        """The payment with another buyer, who pays the provider and is paid by it in the other direction."""
        quote = Quote(account("provider"), account(buyer), THB, 5, CNY, 1, payment.deadline, digest(buyer))
        legs = Leg(account(buyer), account("provider"), THB, 5), Leg(account("provider"), account(buyer), CNY, 1)
        self.quotes[payment.uetr] = SignedQuote(quote, self.sign("provider/settlement", quote_hash(quote)))
        return replace(payment, legs=legs, quotes_hash=quotes_hash([quote]))

    def endorsement(self, batch: Batch, name: str, valid_until: int | None = None) -> Endorsement:
        until = batch.deadline if valid_until is None else valid_until
        attestation = Attestation(batch_hash(batch), digest("policy"), digest("log"), until)
        settlement = self.sign(f"{name}/settlement", batch_hash(batch))
        return Endorsement(settlement, attestation, self.sign(f"{name}/compliance", attestation_hash(attestation)))

    def settle(self, sequence: int, payments: tuple[PaymentTerms, ...]) -> None:
        """The three members sign and settle whatever payments they please: nothing here checks them."""
        signed = self.signed(sequence, payments)
        receipt = Settlement(self.client, self.settlement).settle(self.sender("wallet"), [signed])
        self.blocks[sequence] = receipt.block_number

    def signed(self, sequence: int, payments: tuple[PaymentTerms, ...]) -> SignedBatch:
        """A batch that the three members signed for the Settlement in office."""
        batch = Batch(
            debtor_agent=account("wallet"),
            lane=0,
            sequence=sequence,
            payments_root=root_of([payment_leaf(terms) for terms in payments]),
            payment_count=len(payments),
            members=tuple(sorted(account(name) for name in ("wallet", "acquirer", "provider"))),
            positions=net_positions(payments),
            deadline=self.client.newest_timestamp() + 15,
        )
        signed = SignedBatch(batch, tuple(self.endorsement(batch, name) for name in self.names(batch.members)))
        self.payments[sequence], self.batches[sequence] = payments, signed
        self.settled_by[sequence] = self.settlement
        return signed

    def tree(self, sequence: int) -> MerkleTree:
        return MerkleTree([payment_leaf(terms) for terms in self.payments[sequence]])

    def evidence(self, sequence: int, index: int) -> Evidence:
        payments, signed, tree = self.payments[sequence], self.batches[sequence], self.tree(sequence)
        block = self.prove(signed.batch.place, sequence)
        return Evidence(
            FORMAT,
            CHAIN_ID,
            *block[:4],
            office=block.office,
            batch=signed.batch,
            endorsements=signed.endorsements,
            payment=payments[index],
            path=tree.path(index),
            agreements=self.agreements(sequence, index, self.settled_by[sequence]),
            quotes=(self.quotes[payments[index].uetr],),
        )

    def prove(self, place: Place, sequence: int) -> BlockProof:
        """What the chain proves in the block that settled the batch `sequence`."""
        members = (name for name in ROLES if name != "banker")
        keys = [account(f"{name}/{use}") for name in members for use in ("settlement", "compliance")]
        settled = SettledAt(self.settled_by[sequence], place, self.blocks[sequence])
        return fetch_block_proof(self.client, self.network, settled, keys)

    def ledger_slots(self, sequence: int, *slots: int) -> AccountProof:
        """Proof of slots of the Ledger in the block that settled the batch `sequence`."""
        return account_proof(self.client, self.network.contracts.ledger.address, slots, self.blocks[sequence])

    def before(self, sequence: int) -> SealedHeader:
        return self.client.sealed_header(self.blocks[sequence] - 1)

    def agreements(self, sequence: int, index: int, settlement: Address) -> tuple[SignedAgreement, ...]:
        payments, tree = self.payments[sequence], self.tree(sequence)
        agreement = Agreement(tree.root, len(payments), max(terms.deadline for terms in payments))
        return tuple(self.agreed(name, agreement, tree, index, settlement) for name in ("acquirer", "provider"))

    def agreed(
        self, name: str, agreement: Agreement, tree: MerkleTree, index: int, settlement: Address = ""
    ) -> SignedAgreement:
        signature = self.sign(f"{name}/settlement", agreement_hash(agreement), settlement)
        return SignedAgreement(account(name), agreement, tree.path(index), signature)

    def leaves(self, sequence: int) -> BatchLeaves:
        return BatchLeaves(account("wallet"), 0, sequence, self.payments[sequence])


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    document = {
        "name": "audited",
        "chainId": CHAIN_ID,
        "timestamp": 1_700_000_000,
        "gasLimit": 60_000_000,
        "validators": [account("validator")],
        "alloc": {account(name): {"balance": hex(10**24)} for name in SENDERS},
    }
    key = keccak(b"audit test key of validator")
    chain = open_chain(document, ":memory:", key, dev=True)
    pins = planned_contracts(account("deployer"), 0)
    document["contracts"] = {
        name: {"address": pin.address, "codeHash": "0x" + pin.code_hash.hex()} for name, pin in pins.pins().items()
    }
    provider = InProcessProvider(chain)
    network = parse_network(document)
    yield found(Stage(chain, provider, ChainClient(provider, "seals", network.validators), network))
    chain.close()


def found(stage: Stage) -> Stage:
    """Deploy, admit, issue, and settle three batches: of five payments, of one, of two."""
    deployer = TransactionSender(stage.client, signer("deployer"))
    contracts = deploy_network(deployer, CouncilTerms((account("governor"),), 1, 0, account("governor")))
    calls = [Participants.admit_call(admission(name)) for name in ROLES]
    calls += [Participants.set_settlement_bank_call(each, account("banker")) for each in (CNY, THB)]
    stage.govern(contracts.participants.address, *calls)
    stage.govern(contracts.ledger.address, *(Ledger.define_currency_call(currency(each)) for each in (CNY, THB)))
    stage.send("banker", "ledger", Ledger.issue_call(account("wallet"), CNY, 1_000_000))
    stage.send("banker", "ledger", Ledger.issue_call(account("provider"), THB, 2_000_000))
    stage.send("banker", "ledger", Ledger.redeem_call(account("provider"), THB, 300_000))
    for sequence, count in enumerate((5, 1, 2)):
        stage.settle(sequence, tuple(stage.payment(f"payment {sequence}.{number}") for number in range(count)))
    return stage


@pytest.fixture
def scratch(stage: Stage) -> Iterator[Stage]:
    """A copy of the stage whose chain goes back to where it was."""
    snapshot = stage.client.request("evm_snapshot")
    yield stage.copied()
    assert stage.client.request("evm_revert", snapshot)


@pytest.fixture(scope="session")
def evidence(stage: Stage) -> Evidence:
    return stage.evidence(0, 3)


@pytest.fixture(scope="session")
def files(stage: Stage, evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with evidence.json and genesis.json."""
    folder = tmp_path_factory.mktemp("audit")
    (folder / "evidence.json").write_bytes(write_evidence(evidence))
    (folder / "genesis.json").write_text(json.dumps(stage.network.to_json()))
    return folder


@pytest.fixture(scope="session")
def feiqian_audit() -> AuditCommand:
    """`feiqian audit ...` in a process of its own."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "feiqian", "audit", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    return run
