"""A council of three with quorum two and a delay: not the network's own, whose delay is zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import pytest
from eth_abi.abi import encode

from contracts.chain.abi import encode_call, encode_creation
from contracts.chain.client import ChainClient
from contracts.chain.council import Call, Council, calls_hash
from contracts.chain.transactions import TransactionSender
from contracts.terms.attestation import Approval
from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address
from contracts.terms.signing import LocalSigner
from devnet.chain import open_chain
from devnet.chain.provider import InProcessProvider
from tests.contract.conftest import FUNDED, genesis, private_key

DELAY = 100
GOVERNORS = ("governor_1", "governor_2", "governor_3")
PUPPET = """# pragma version 0.4.3
# pragma evm-version cancun
target: address
data: Bytes[1024]

@external
def arm(target: address, data: Bytes[1024]):
    self.target = target
    self.data = data

@external
def spring():
    raw_call(self.target, self.data)
"""


@dataclass(frozen=True)
class Chamber:
    """One council, and what its people do to it."""

    stage: Any
    council: Council

    def by(self, name: str) -> TransactionSender:
        return self.stage.sender(name)

    def signer(self, name: str) -> LocalSigner:
        return LocalSigner(keccak(b"test key of " + name.encode()))

    def accounts(self, *names: str) -> list[Address]:
        return [self.stage.account(name) for name in names]

    def own(self, data: bytes) -> Call:
        """A call of the council by itself."""
        return Call(self.council.address, data)

    @property
    def unpause(self) -> Call:
        return self.own(Council.unpause_call())

    def propose(self, *calls: Call, by: str = "governor_1") -> int:
        return self.council.propose(self.by(by), calls or [self.unpause])

    def approve(self, number: int, name: str) -> None:
        self.council.approve(self.by(name), number, self.council.proposed_calls(number))

    def approved(self, *calls: Call) -> int:
        number = self.propose(*calls)
        self.approve(number, "governor_2")
        return number

    def execute(self, number: int, name: str = "stranger") -> None:
        self.council.execute(self.by(name), number)

    def run(self, *calls: Call) -> int:
        """Propose, approve, wait, execute."""
        number = self.approved(*calls)
        self.stage.pass_time(DELAY)
        self.execute(number)
        return number

    def lapse(self) -> None:
        """The same governors again, in a new epoch."""
        self.run(self.own(Council.set_governors_call(self.council.governors(), self.council.quorum())))

    def approval(self, number: int, **changes: object) -> Approval:
        """What an honest governor signs for a proposal."""
        honest = Approval(number, calls_hash(self.council.proposed_calls(number)), self.council.epoch())
        return replace(honest, **changes)  # type: ignore[arg-type]

    def signature(self, name: str, number: int, **changes: object) -> bytes:
        return self.council.sign_approval(self.signer(name), self.approval(number, **changes))

    def bring(self, number: int, *signatures: bytes) -> None:
        """A stranger carries signed approvals to the council."""
        self.council.approve_by_signature(self.by("stranger"), number, signatures)

    def send(self, name: str, function: str, *arguments: object) -> None:
        self.by(name).transact(self.council.address, encode_call("Council", function, *arguments))


def found_on(
    stage: Any,
    governors: Sequence[str | Address] = GOVERNORS,
    quorum: int = 2,
    delay: int = DELAY,
    deployer: str = "deployer",
) -> Chamber:
    """Found any council: by default the governors by name, quorum two, `DELAY`."""
    seats = [each if each.startswith("0x") else stage.account(each) for each in governors]
    code = encode_creation("Council", seats, quorum, delay, stage.account("guardian"))
    return Chamber(stage, Council(stage.client, stage.sender(deployer).transact(None, code).contract))


Found = Callable[..., Chamber]


@pytest.fixture
def found(stage) -> Found:
    return partial(found_on, stage)


@pytest.fixture
def other_chain(founded) -> Iterator[Any]:
    """A chain with another id, where nothing has happened yet."""
    document = genesis(FUNDED) | {"chainId": founded.client.chain_id + 1}
    chain = open_chain(document, ":memory:", private_key("validator"), dev=True)
    yield replace(founded, client=ChainClient(InProcessProvider(chain), "seals", founded.validators))
    chain.close()


@pytest.fixture
def chamber(found: Found) -> Chamber:
    return found()


@dataclass(frozen=True)
class Puppet:
    """A contract that calls back whatever it was armed with, when it is called."""

    stage: Any
    address: Address

    def arm(self, target: Address, data: bytes) -> None:
        self.stage.sender("stranger").transact(
            self.address, self._call("arm(address,bytes)", ["address", "bytes"], target, data)
        )

    @property
    def spring(self) -> Call:
        return Call(self.address, self._call("spring()", []))

    def act(self, target: Address, data: bytes) -> None:
        """Make the puppet itself send a call."""
        self.arm(target, data)
        self.stage.sender("stranger").transact(self.address, self.spring.data)

    @staticmethod
    def _call(signature: str, types: list[str], *arguments: object) -> bytes:
        return keccak(signature.encode())[:4] + encode(types, arguments)


@cache
def puppet_code() -> bytes:
    from vyper import compile_code

    return bytes.fromhex(compile_code(PUPPET)["bytecode"][2:])


@pytest.fixture
def puppet(stage) -> Puppet:
    return Puppet(stage, stage.sender("stranger").transact(None, puppet_code()).contract)
