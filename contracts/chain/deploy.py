"""Bringing a network's contracts on chain, at addresses and with code known before.

The first contracts of a deployer stand at addresses that follow from its address alone (CREATE), and their code from
our sources and those addresses. So the genesis file pins both before the chain's first block exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import rlp

from contracts.chain.abi import encode_creation
from contracts.chain.client import ChainClient
from contracts.chain.compile import CONTRACTS, check_code, code_hash
from contracts.chain.network import Contracts, PinnedContract
from contracts.chain.participants import NO_ADDRESS
from contracts.chain.transactions import TransactionSender
from contracts.terms.commitments import keccak
from contracts.terms.errors import ContractRefusal
from contracts.terms.identifiers import Address

# Enough for the largest of the four; what is not used is not paid.
_CREATION_GAS = 6_000_000


@dataclass(frozen=True)
class CouncilTerms:
    """How the council is founded: `quorum` of `governors`, `delay` in seconds, a `guardian` who may pause."""

    governors: tuple[Address, ...]
    quorum: int
    delay: int
    guardian: Address


@dataclass(frozen=True)
class Addresses:
    """Where a network's contracts stand."""

    council: Address
    participants: Address
    ledger: Address
    settlement: Address


def planned_addresses(deployer: Address, first_nonce: int = 0) -> Addresses:
    """Where `deploy_network` puts the contracts when the deployer's next nonce is `first_nonce`."""
    return Addresses(*(created_address(deployer, first_nonce + place) for place in range(4)))


def addresses_of(contracts: Contracts) -> Addresses:
    """The pinned contracts' addresses alone."""
    return Addresses(**{name: pin.address for name, pin in contracts.pins().items()})


def planned_contracts(deployer: Address, delay: int) -> Contracts:
    """The pins for the genesis file of a network that this (fresh) deployer founds, with the council's delay in s."""
    return pins(planned_addresses(deployer), delay)


def pins(addresses: Addresses, delay: int) -> Contracts:
    """Addresses with the hashes of the code that our sources give there."""
    values = immutables(addresses) | {"Council": {"DELAY": delay}}
    return Contracts(
        council=PinnedContract(addresses.council, code_hash("Council", values["Council"])),
        participants=PinnedContract(addresses.participants, code_hash("Participants", values["Participants"])),
        ledger=PinnedContract(addresses.ledger, code_hash("Ledger", values["Ledger"])),
        settlement=PinnedContract(addresses.settlement, code_hash("Settlement", values["Settlement"])),
    )


def deploy_network(deployer: TransactionSender, terms: CouncilTerms, first_nonce: int = 0) -> Contracts:
    """Deploy the four contracts and check them. The deployer keeps no power. Raises ContractRefusal.

    `first_nonce` must be the deployer's next nonce: the contracts refer to each other by their planned addresses.
    """
    client, planned = deployer.client, planned_addresses(deployer.address, first_nonce)
    creations = (
        encode_creation("Council", terms.governors, terms.quorum, terms.delay, terms.guardian),
        encode_creation("Participants", planned.council, planned.ledger),
        encode_creation("Ledger", planned.council, planned.participants, planned.settlement),
        settlement_creation(planned, NO_ADDRESS),
    )
    receipts = deployer.wait(deployer.send_all([(None, code) for code in creations], _CREATION_GAS))
    created = Addresses(*(receipt.contract or NO_ADDRESS for receipt in receipts))
    if created != planned:
        raise ContractRefusal(f"the deployer {deployer.address} was used before: its contracts stand elsewhere")
    contracts = pins(planned, terms.delay)
    check_deployment(client, contracts)
    return contracts


def settlement_creation(addresses: Addresses, predecessor: Address) -> bytes:
    """Creation code of a Settlement for the network's other contracts, going on where `predecessor` ended."""
    return encode_creation("Settlement", addresses.council, addresses.participants, addresses.ledger, predecessor)


def check_deployment(client: ChainClient, contracts: Contracts) -> None:
    """Refuse a network whose contracts are not our own sources' or not the pinned ones. Raises ContractRefusal."""
    expected = immutables(addresses_of(contracts))
    for name, pin in zip(CONTRACTS, contracts.pins().values(), strict=True):
        code = client.code(pin.address, "latest")
        if error := check_code(name, code, expected[name]):
            raise ContractRefusal(f"{error} ({pin.address})")
        if keccak(code) != pin.code_hash:
            raise ContractRefusal(f"{name}: the code at {pin.address} is not the one the network file pins")


def immutables(addresses: Addresses) -> dict[str, Mapping[str, Address | int]]:
    """What each contract of a first deployment has built in (the council's delay is left to the pinned hash)."""
    council, participants = addresses.council, addresses.participants
    return {
        "Council": {},
        "Participants": {"COUNCIL": council, "LEDGER": addresses.ledger},
        "Ledger": {"COUNCIL": council, "PARTICIPANTS": participants},
        "Settlement": {
            "COUNCIL": council,
            "PARTICIPANTS": participants,
            "LEDGER": addresses.ledger,
            "PREDECESSOR": NO_ADDRESS,
        },
    }


def created_address(creator: Address, nonce: int) -> Address:
    """The address of a contract by creator and nonce (yellow paper, section 7): keccak(rlp([creator, nonce]))[12:]."""
    encoded: bytes = rlp.encode([bytes.fromhex(creator[2:]), nonce])
    return "0x" + keccak(encoded)[12:].hex()
