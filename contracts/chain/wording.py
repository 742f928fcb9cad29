"""A council's calls in words and back: contract, function and named arguments, as governors write and read them.

    {"contract": "participants", "function": "suspend", "arguments": {"account": "0x..."}}

Integers are JSON integers or decimal texts, bytes 0x-hex, structs objects. What words do not say exactly (another
contract, data that is no canonical encoding) stays raw: {"target": "0x...", "data": "0x..."}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import encode

from contracts.chain.abi import Entry, decode_call, encode_call
from contracts.chain.compile import compiled
from contracts.chain.council import MAX_CALLS, Call
from contracts.chain.network import Contracts
from contracts.terms.errors import Malformed

Document = Mapping[str, Any]

_CALL = {"contract", "function", "arguments"}
_RAW = {"target", "data"}
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,77}", re.ASCII)
_WIDTH = re.compile(r"(u?)int([0-9]+)")
_EXACT_IN_JSON = 2**53


def read_calls(document: object, contracts: Contracts) -> tuple[Call, ...]:
    """The calls that a governor wrote, a JSON list of 1 to 8. Raises Malformed with the place of what is wrong."""
    if not isinstance(document, list) or not 0 < len(document) <= MAX_CALLS:
        raise Malformed(f"a proposal is a list of 1 to {MAX_CALLS} calls")
    return tuple(_read_call(call, contracts, f"call {number}") for number, call in enumerate(document, 1))


def write_call(call: Call, contracts: Contracts) -> Document:
    """A call in words, raw when words cannot say exactly what it does: `read_calls` gives the same bytes again."""
    for name, pin in contracts.pins().items():
        if pin.address == call.target:
            return _words(name, call.data) or _raw(call)
    return _raw(call)


def call_text(call: Call, contracts: Contracts) -> str:
    """A call in one line. Texts in it are escaped as in JSON, so that none can write over what a governor reads."""
    words = write_call(call, contracts)
    if "target" in words:
        return f"UNREADABLE call of {words['target']}: {words['data']}"
    arguments = ", ".join(f"{name}={json.dumps(value)}" for name, value in words["arguments"].items())
    return f"{words['contract']}.{words['function']}({arguments})"


def _read_call(document: object, contracts: Contracts, place: str) -> Call:
    if isinstance(document, dict) and document.keys() == _RAW:
        return Call(_abi_value({"type": "address"}, document["target"], place), _bytes(document["data"], place))
    if not isinstance(document, dict) or document.keys() != _CALL:
        raise Malformed(f"{place}: needs exactly contract, function and arguments (or target and data)")
    pin = contracts.pins().get(document["contract"]) if isinstance(document["contract"], str) else None
    if pin is None:
        raise Malformed(f"{place}: contract is one of {', '.join(contracts.pins())}")
    contract, functions = document["contract"].capitalize(), _functions(document["contract"])
    entry = functions.get(document["function"]) if isinstance(document["function"], str) else None
    if entry is None:
        raise Malformed(f"{place}: {document['contract']} has the functions {', '.join(sorted(functions))}")
    name = f"{place}, {document['contract']}.{entry['name']}"
    arguments = _abi_fields(entry["inputs"], document["arguments"], name)
    return Call(pin.address, encode_call(contract, entry["name"], *arguments))


def _words(contract: str, data: bytes) -> Document | None:
    """None when the data is not exactly what its own reading encodes to: it could read otherwise on chain."""
    for name, entry in _functions(contract).items():
        try:
            arguments = decode_call(contract.capitalize(), name, data)
        except Malformed:
            continue
        if encode_call(contract.capitalize(), name, *arguments) == data:
            return {"contract": contract, "function": name, "arguments": _named(entry["inputs"], arguments)}
    return None


def _raw(call: Call) -> Document:
    return {"target": call.target, "data": "0x" + call.data.hex()}


def _functions(contract: str) -> dict[str, Entry]:
    """What changes state, by name."""
    functions = (entry for entry in compiled(contract.capitalize()).abi if entry["type"] == "function")
    return {entry["name"]: entry for entry in functions if entry["stateMutability"] == "nonpayable"}


def _abi_fields(parameters: Sequence[Entry], document: object, place: str) -> list[Any]:
    names = [each["name"] for each in parameters]
    if not isinstance(document, dict) or document.keys() != set(names):
        raise Malformed(f"{place}: needs exactly {', '.join(names) or 'no arguments: {}'}")
    return [_abi_value(each, document[each["name"]], f"{place}, {each['name']}") for each in parameters]


def _abi_value(parameter: Entry, value: object, place: str) -> Any:
    kind: str = parameter["type"]
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise Malformed(f"{place}: must be a list")
        item = dict(parameter) | {"type": kind.removesuffix("[]")}
        return [_abi_value(item, each, f"{place} {number}") for number, each in enumerate(value, 1)]
    if kind == "tuple":
        return tuple(_abi_fields(parameter["components"], value, place))
    plain = _plain_value(kind, value, place)
    try:
        encode([kind], [plain])
    except Exception as failure:  # eth_abi's errors share no base class with what it lets through from Python
        raise Malformed(f"{place}: {value!r:.80} is no {kind}") from failure
    return plain


def _plain_value(kind: str, value: object, place: str) -> Any:
    if kind == "address":
        return "0x" + _bytes(value, place, 20).hex()
    if kind.startswith("bytes"):
        return _bytes(value, place, int(kind.removeprefix("bytes") or 0))
    if _WIDTH.fullmatch(kind):
        return _integer(value, place)
    return value


def _bytes(value: object, place: str, length: int = 0) -> bytes:
    """Of any length when `length` is 0."""
    if not isinstance(value, str) or not _HEX.fullmatch(value) or (length and len(value) != 2 + 2 * length):
        raise Malformed(f"{place}: must be {length or 'any number of'} bytes as 0x-hex")
    return bytes.fromhex(value[2:])


def _integer(value: object, place: str) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Malformed(f"{place}: must be an integer")


def _named(parameters: Sequence[Entry], values: Sequence[Any]) -> dict[str, Any]:
    return {each["name"]: _json_value(each, value) for each, value in zip(parameters, values, strict=True)}


def _json_value(parameter: Entry, value: Any) -> Any:
    kind: str = parameter["type"]
    if kind.endswith("[]"):
        item = dict(parameter) | {"type": kind.removesuffix("[]")}
        return [_json_value(item, each) for each in value]
    if kind == "tuple":
        return _named(parameter["components"], value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int) and abs(value) > _EXACT_IN_JSON:
        return str(value)
    return value
