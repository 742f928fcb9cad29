"""One service's way to the chain: JSON-RPC as the product speaks it, over a node that may lag or not answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode

from contracts.chain.compile import compiled
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import ChainUnavailable
from contracts.terms.identifiers import Address
from tests.contract.model.participants import COMPLIANCE, MESSAGE, NO_KEY, SETTLEMENT, Participants
from tests.contract.model.world import Refused, World
from tests.simulation.chain import Block, Chain, stored
from tests.simulation.scheduler import Scheduler

View = Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]


class ChainNode:
    """A transport of `ChainClient`. What it once called final it never takes back."""

    def __init__(self, scheduler: Scheduler, chain: Chain, contracts: Mapping[Address, str]) -> None:
        self._scheduler, self._chain, self._contracts = scheduler, chain, contracts
        self.away = 0.0
        """The share of requests that get no answer."""
        self._final = chain.final

    def make_request(self, method: Any, params: Any) -> Any:
        """The response object. Raises ChainUnavailable, for a transaction also when it has arrived."""
        self._scheduler.require_alive()
        luck = self._scheduler.luck
        lost = luck.random() < self.away
        if lost and not (method == "eth_sendRawTransaction" and luck.random() < 0.5):
            raise ChainUnavailable(f"{method}: the chain's node does not answer")
        try:
            answer = {"result": getattr(self, f"_{method}")(*params)}
        except Refused as refused:
            answer = {"error": {"code": 3, "message": f"execution reverted: {refused.reason}"}}
        except _RpcFailure as failure:
            answer = {"error": {"code": -32000, "message": str(failure)}}
        if lost:
            raise ChainUnavailable(f"{method}: the answer was lost")
        return answer

    def make_batch_request(self, requests: Any) -> Any:
        """Each may be lost by itself."""
        return [self.make_request(method, params) for method, params in requests]

    def catch_up(self) -> None:
        """Hear of the newest final block, or of an earlier one."""
        newest, behind = self._chain.final, self._chain.final - self._final
        if behind > 0:
            lag = self._scheduler.luck.randrange(behind + 1) if self._scheduler.luck.random() < 0.2 else 0
            self._final = newest - lag

    def _eth_chainId(self) -> str:
        return hex(self._chain.blocks[0].world.chain_id)

    def _eth_maxPriorityFeePerGas(self) -> str:
        return "0x0"

    def _eth_gasPrice(self) -> str:
        return "0x0"

    def _eth_getTransactionCount(self, account: Address, tag: str) -> str:
        return hex(self._chain.nonce(account))

    def _eth_sendRawTransaction(self, raw: str) -> str:
        if why := self._chain.take(bytes.fromhex(raw[2:])):
            raise _RpcFailure(why)
        return raw[:66]

    def _eth_getBlockByNumber(self, block: str, whole: bool) -> Any:
        if block == "finalized":
            self.catch_up()
        found = self._block(block)
        return {
            "number": hex(found.number),
            "hash": "0x" + found.hash.hex(),
            "parentHash": "0x" + found.parent.hex(),
            "stateRoot": "0x" + bytes(32).hex(),
            "timestamp": hex(found.timestamp),
        }

    def _eth_getLogs(self, wanted: Mapping[str, Any]) -> list[Any]:
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        return [
            stored(entry, block, position)
            for block in self._chain.blocks[first : last + 1]
            for position, entry in enumerate(block.entries)
            if entry.address in wanted["address"]
        ]

    def _eth_getTransactionByHash(self, name: str) -> Any:
        found = self._chain.known.get(bytes.fromhex(name[2:]))
        return None if found is None else {"input": "0x" + found.data.hex(), "from": found.sender, "to": found.target}

    def _eth_getTransactionReceipt(self, name: str) -> Any:
        wanted = bytes.fromhex(name[2:])
        for block in reversed(self._chain.blocks):
            if any(each.hash == wanted for each in block.transactions):
                return {
                    "transactionHash": name,
                    "status": "0x0" if wanted in block.failed else "0x1",
                    "blockNumber": hex(block.number),
                    "blockHash": "0x" + block.hash.hex(),
                    "gasUsed": "0x0",
                    "logs": [],
                }
        return None

    def _eth_call(self, message: Mapping[str, str], block: str) -> str:
        contract, data = self._contracts[message["to"]], bytes.fromhex(message["data"][2:])
        function, inputs, outputs = _functions(contract)[data[:4]]
        if function == "settle":
            self._chain.simulate(data)
            return "0x"
        state = self._block(block)
        if contract == "Participants":  # no run changes who takes part
            return _register(state.world, message["to"], function, data)
        answer = _VIEWS[function](state.world.contracts[message["to"]], tuple(decode(inputs, data[4:])))
        return "0x" + encode(outputs, answer).hex()

    def _block(self, block: str) -> Block:
        if block == "finalized":
            return self._chain.blocks[self._final]
        if block in ("latest", "pending"):
            return self._chain.head
        number = int(block, 16)
        if number > self._chain.head.number:
            raise _RpcFailure("no such block")
        return self._chain.blocks[number]


class _RpcFailure(Exception):
    """An error that is no contract's refusal."""


@lru_cache(8)
def _functions(contract: str) -> dict[bytes, tuple[str, list[str], list[str]]]:
    """By selector: name, and the types of arguments and results."""
    found = {}
    for signature, selector in compiled(contract).method_ids.items():
        entry = next(
            each
            for each in compiled(contract).abi
            if each["type"] == "function" and each["name"] == signature.partition("(")[0]
        )
        types = [[_type(each) for each in entry[side]] for side in ("inputs", "outputs")]
        found[bytes.fromhex(selector[2:].zfill(8))] = (entry["name"], *types)
    return found  # type: ignore[return-value]


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(each) for each in parameter['components'])}){kind.removeprefix('tuple')}"


_register_answers: dict[tuple[str, bytes], str] = {}


def _register(world: World, at: Address, function: str, data: bytes) -> str:
    """What the register of participants says, encoded once."""
    key = (at, data)
    if key not in _register_answers:
        _, inputs, outputs = _functions("Participants")[data[:4]]
        answer = _VIEWS[function](world.contracts[at], tuple(decode(inputs, data[4:])))
        _register_answers[key] = "0x" + encode(outputs, answer).hex()
    return _register_answers[key]


def _participant(model: Participants, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    record = model.record(arguments[0])
    key = model.current.get((arguments[0], MESSAGE), NO_KEY)
    return ((record.lei, record.bic, record.country, record.roles, record.status, key, record.endpoint, record.codes),)


def _keys_of(model: Participants, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    found = []
    for purpose in (SETTLEMENT, COMPLIANCE, MESSAGE):
        key = model.current.get((arguments[0], purpose))
        if key is not None:
            raw = key if isinstance(key, bytes) else bytes(12) + bytes.fromhex(key[2:])
            found.append((raw, purpose, model.keys[key].valid_until))
    return (found,)


def _batch_hash(model: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    batch = model.batch_at(arguments)
    return (bytes(32) if batch is None else batch_hash(batch),)


_VIEWS: Mapping[str, View] = {
    "next_sequence": lambda model, arguments: (model.next_sequence(*arguments),),
    "batch_hash": _batch_hash,
    "net_position": lambda model, arguments: (model.net[arguments],),
    "cap": lambda model, arguments: (model.caps[arguments],),
    "accounts": lambda model, _: (list(model.records),),
    "participant": _participant,
    "keys_of": _keys_of,
}
