"""The genesis file: what a chain starts from, and who may seal it.

    {"chainId": int, "timestamp": int, "gasLimit": int, "validators": ["0x.."],
     "alloc": {"0x..": {"balance": "0x.."}}, "name": str?, "contracts": {...}?}

`name` and `contracts` are pinned there for people and auditors and do not enter the block. Chain id and
validators have no field of their own in an Ethereum header, so the genesis block's extraData carries
keccak256(rlp([chainId, validators])): two chains that differ in either have different genesis hashes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rlp
from eth_hash.auto import keccak

from devnet.chain.errors import GenesisError

KNOWN_KEYS = {"chainId", "timestamp", "gasLimit", "validators", "alloc", "name", "contracts"}
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
MAXIMUM_CHAIN_ID = 2**53 - 1
GAS_LIMITS = range(5_000_000, 1_000_000_001)


@dataclass(frozen=True)
class Genesis:
    """A checked genesis file. Balances in wei, timestamp in Unix seconds."""

    chain_id: int
    timestamp: int
    gas_limit: int
    validators: tuple[bytes, ...]
    alloc: Mapping[bytes, int]

    @property
    def extra_data(self) -> bytes:
        """32 bytes that bind chain id and validators into the genesis hash."""
        return bytes(keccak(rlp.encode([self.chain_id, list(self.validators)])))


def parse_genesis(document: Any) -> Genesis:
    """Check a decoded genesis file; GenesisError names the first wrong field."""
    if not isinstance(document, Mapping):
        raise GenesisError("genesis: must be a JSON object")
    unknown = sorted(set(document) - KNOWN_KEYS)
    if unknown:
        raise GenesisError(f"genesis: unknown key {unknown[0]!r}")
    gas_limit = _integer(document, "gasLimit", GAS_LIMITS.start, GAS_LIMITS.stop - 1)
    return Genesis(
        chain_id=_integer(document, "chainId", 1, MAXIMUM_CHAIN_ID),
        timestamp=_integer(document, "timestamp", 0, 2**63 - 1),
        gas_limit=gas_limit,
        validators=_validators(document.get("validators")),
        alloc=_alloc(document.get("alloc", {})),
    )


def _integer(document: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = document.get(key)
    if type(value) is not int or not least <= value <= most:
        raise GenesisError(f"genesis: {key} must be an integer from {least} to {most}")
    return value


def _address(value: Any, where: str) -> bytes:
    if not isinstance(value, str) or not ADDRESS.fullmatch(value):
        raise GenesisError(f"genesis: {where} must be a 20-byte 0x address")
    return bytes.fromhex(value[2:])


def _validators(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not value:
        raise GenesisError("genesis: validators must be a list of at least one address")
    validators = tuple(_address(one, "each of validators") for one in value)
    if len(set(validators)) != len(validators):
        raise GenesisError("genesis: validators must be unique")
    return validators


def _alloc(value: Any) -> dict[bytes, int]:
    if not isinstance(value, Mapping):
        raise GenesisError("genesis: alloc must be an object")
    balances: dict[bytes, int] = {}
    for key, account in value.items():
        address = _address(key, "each key of alloc")
        if not isinstance(account, Mapping) or set(account) != {"balance"}:
            raise GenesisError(f"genesis: alloc {key} must have exactly one key, balance")
        balance = account["balance"]
        if not isinstance(balance, str) or not QUANTITY.fullmatch(balance):
            raise GenesisError(f"genesis: alloc {key} balance must be a 0x quantity of wei")
        if address in balances:
            raise GenesisError(f"genesis: alloc {key} appears twice")
        balances[address] = int(balance, 16)
    return balances
