"""Calls, results and logs of our contracts in the Ethereum contract ABI, from their compiled interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from contracts.chain.compile import compiled
from contracts.terms.commitments import keccak
from contracts.terms.errors import Malformed

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Log:
    """An event log as the chain returns it. `position` is the log's index in its block."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    position: int


def encode_call(contract: str, function: str, *arguments: object) -> bytes:
    """The call data of `contract.function(*arguments)`; structs are tuples, byte strings are bytes."""
    selector, inputs, _ = _function(contract, function)
    return selector + encode(inputs, arguments)


def decode_call(contract: str, function: str, data: bytes) -> tuple[Any, ...]:
    """The arguments that call data names. Raises Malformed when it is no call of `contract.function`."""
    selector, inputs, _ = _function(contract, function)
    if data[:4] != selector:
        raise Malformed(f"the data is no call of {contract}.{function}")
    try:
        return tuple(decode(inputs, data[4:]))
    except (DecodingError, ValueError, OverflowError) as failure:  # a text that is no UTF-8, a length past all memory
        raise Malformed(f"the data is no call of {contract}.{function}: {failure}") from failure


def decode_result(contract: str, function: str, result: bytes) -> tuple[Any, ...]:
    """What `contract.function` returned. Addresses come in lower case."""
    return tuple(decode(_function(contract, function)[2], result))


def encode_creation(contract: str, *arguments: object) -> bytes:
    """Creation code with its constructor arguments."""
    constructor = next(entry for entry in compiled(contract).abi if entry["type"] == "constructor")
    return compiled(contract).bytecode + encode([_type(each) for each in constructor["inputs"]], arguments)


def event_topic(contract: str, event: str) -> bytes:
    """The first topic of an event's logs."""
    return keccak(_signature(_entry(contract, "event", event)).encode())


def decode_log(contract: str, log: Log) -> tuple[str, dict[str, Any]] | None:
    """The event's name and fields, or None if the log is of no event of this contract."""
    entry = _events(contract).get(log.topics[0]) if log.topics else None
    if entry is None:
        return None
    indexed = [each for each in entry["inputs"] if each["indexed"]]
    others = [each for each in entry["inputs"] if not each["indexed"]]
    fields = {
        each["name"]: decode([_type(each)], topic)[0] for each, topic in zip(indexed, log.topics[1:], strict=True)
    }
    values = decode([_type(each) for each in others], log.data)
    fields.update(zip((each["name"] for each in others), values, strict=True))
    return entry["name"], fields


@lru_cache(maxsize=256)
def _function(contract: str, function: str) -> tuple[bytes, Sequence[str], Sequence[str]]:
    entry = _entry(contract, "function", function)
    inputs = [_type(each) for each in entry["inputs"]]
    outputs = [_type(each) for each in entry["outputs"]]
    return bytes.fromhex(compiled(contract).method_ids[_signature(entry)][2:].zfill(8)), inputs, outputs


@lru_cache(maxsize=8)
def _events(contract: str) -> Mapping[bytes, Entry]:
    events = [entry for entry in compiled(contract).abi if entry["type"] == "event"]
    return {keccak(_signature(entry).encode()): entry for entry in events}


def _entry(contract: str, kind: str, name: str) -> Entry:
    return next(each for each in compiled(contract).abi if each["type"] == kind and each.get("name") == name)


def _signature(entry: Entry) -> str:
    return f"{entry['name']}({','.join(_type(each) for each in entry['inputs'])})"


def _type(parameter: Entry) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(each) for each in parameter['components'])}){kind.removeprefix('tuple')}"
