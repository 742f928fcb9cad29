"""The network file: the genesis block's content and the pinned contracts, the one thing an auditor trusts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Address

CONTRACT_NAMES: Final = ("council", "participants", "ledger", "settlement")
_FIELDS = ("name", "chainId", "timestamp", "gasLimit", "validators", "alloc", "contracts")
_MAX_INTEGER = 2**63 - 1
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII | re.IGNORECASE)
_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_QUANTITY = re.compile(r"0x[0-9a-f]{1,64}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class PinnedContract:
    """A contract's address and the Keccak hash (32 bytes) of its deployed code."""

    address: Address
    code_hash: bytes


@dataclass(frozen=True)
class Contracts:
    """The four contracts of a network."""

    council: PinnedContract
    participants: PinnedContract
    ledger: PinnedContract
    settlement: PinnedContract

    def pins(self) -> Mapping[str, PinnedContract]:
        """The contracts by their names in the network file."""
        return {name: getattr(self, name) for name in CONTRACT_NAMES}


@dataclass(frozen=True)
class Network:
    """A network file. `timestamp` in seconds, `alloc` in wei by account."""

    name: str
    chain_id: int
    timestamp: int
    gas_limit: int
    validators: tuple[Address, ...]
    alloc: Mapping[Address, int]
    contracts: Contracts

    def to_json(self) -> dict[str, Any]:
        """The file's content; `parse_network` of it is this network again."""
        return {
            "name": self.name,
            "chainId": self.chain_id,
            "timestamp": self.timestamp,
            "gasLimit": self.gas_limit,
            "validators": list(self.validators),
            "alloc": {account: {"balance": hex(wei)} for account, wei in self.alloc.items()},
            "contracts": {
                name: {"address": pin.address, "codeHash": "0x" + pin.code_hash.hex()}
                for name, pin in self.contracts.pins().items()
            },
        }


def load_network(path: Path | str) -> Network:
    """Read a network file. Raises Malformed in one line that names the file and the field."""
    try:
        content = json.loads(Path(path).read_bytes(), object_pairs_hook=_unique_keys)
    except OSError as failure:
        raise Malformed(f"network file {path}: {failure.strerror or failure}") from failure
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"network file {path}: not JSON: {failure}") from failure
    try:
        return parse_network(content)
    except Malformed as failure:
        raise Malformed(f"network file {path}: {failure.detail}") from failure


def parse_network(content: object) -> Network:
    """A network from a network file's decoded JSON. Raises Malformed in one line that names the field."""
    fields = _object(content, "the file", _FIELDS)
    name = fields["name"]
    if not isinstance(name, str) or not name or len(name) > 64:
        raise Malformed("name: must be a text of 1 to 64 characters")
    return Network(
        name=name,
        chain_id=_integer(fields["chainId"], "chainId", 1),
        timestamp=_integer(fields["timestamp"], "timestamp", 0),
        gas_limit=_integer(fields["gasLimit"], "gasLimit", 5000),
        validators=_validators(fields["validators"]),
        alloc=_alloc(fields["alloc"]),
        contracts=_contracts(fields["contracts"]),
    )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return content


def _object(content: object, where: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise Malformed(f"{where}: must be an object")
    if missing := [name for name in names if name not in content]:
        raise Malformed(f"{missing[0] if where == 'the file' else f'{where}.{missing[0]}'}: is missing")
    if unknown := sorted(set(content) - set(names)):
        raise Malformed(f"{where}: unknown field {unknown[0]!r}")
    return content


def _integer(value: object, field: str, least: int) -> int:
    if type(value) is not int or not least <= value <= _MAX_INTEGER:
        raise Malformed(f"{field}: must be an integer from {least} to {_MAX_INTEGER}")
    return value


def _validators(value: object) -> tuple[Address, ...]:
    if not isinstance(value, list) or not value:
        raise Malformed("validators: must be a list of at least one address")
    validators = tuple(_address(each, f"validators[{place}]") for place, each in enumerate(value))
    if len(set(validators)) != len(validators):
        raise Malformed("validators: an address is given twice")
    return validators


def _alloc(value: object) -> Mapping[Address, int]:
    if not isinstance(value, dict):
        raise Malformed("alloc: must be an object of accounts")
    alloc = {}
    for account, entry in value.items():
        where = f"alloc.{account[:60]}"
        alloc[_address(account, where)] = _quantity(_object(entry, where, ("balance",))["balance"], where)
    return alloc


def _contracts(value: object) -> Contracts:
    entries = _object(value, "contracts", CONTRACT_NAMES)
    return Contracts(**{name: _pin(entries[name], f"contracts.{name}") for name in CONTRACT_NAMES})


def _pin(value: object, where: str) -> PinnedContract:
    entry = _object(value, where, ("address", "codeHash"))
    code_hash = entry["codeHash"]
    if not isinstance(code_hash, str) or not _HASH.fullmatch(code_hash):
        raise Malformed(f"{where}.codeHash: must be 0x and 64 hex digits")
    return PinnedContract(_address(entry["address"], f"{where}.address"), bytes.fromhex(code_hash[2:]))


def _address(value: object, field: str) -> Address:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Malformed(f"{field}: must be an address, 0x and 40 hex digits")
    return value.lower()


def _quantity(value: object, where: str) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Malformed(f"{where}.balance: must be 0x and hex digits")
    return int(value, 16)
