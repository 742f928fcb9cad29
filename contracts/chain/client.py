"""What the rest of the house asks of a chain, in plain Ethereum JSON-RPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from contracts.chain.abi import Log, decode_result, encode_call
from contracts.chain.headers import Header, verify_seals
from contracts.chain.rpc import HttpTransport, Transport, request
from contracts.terms.errors import ChainUnavailable, FinalityViolated, Malformed
from contracts.terms.identifiers import Address

Finality = Literal["seals", "instant", "tag"]
"""`seals`: the node's "finalized" block, sealed by the genesis file's validators. `tag`: the same on the node's word
alone. `instant`: the newest block, on a chain whose consensus replaces none (QBFT)."""

Block = int | str
"""A block number, or a tag such as "latest"."""


@dataclass(frozen=True)
class SealedHeader:
    """A header in RLP with its seals (65 bytes each), as evidence carries it."""

    encoded: bytes
    seals: tuple[bytes, ...]


@dataclass(frozen=True)
class Receipt:
    """A mined transaction. `gas_used` in gas; `contract` is the address it created, if any."""

    transaction_hash: bytes
    succeeded: bool
    block_number: int
    block_hash: bytes
    gas_used: int
    contract: Address | None
    logs: tuple[Log, ...]


class ChainClient:
    """One chain node. All methods raise ChainUnavailable when it does not answer, and a contract's refusal as the
    error that `contracts.chain.reverts` maps its reason to. Usable from several threads."""

    def __init__(
        self,
        node: str | Transport,
        finality: Finality = "tag",
        validators: Sequence[Address] = (),
        timeout: float = 5.0,
    ) -> None:
        assert finality != "seals" or validators, "seals are checked against the genesis file's validators"
        self._transport = HttpTransport(node, timeout) if isinstance(node, str) else node
        self._validators = tuple(validators)
        self.finality = finality

    @property
    def final_tag(self) -> str:
        """The tag under which the node gives its newest final block."""
        return "latest" if self.finality == "instant" else "finalized"

    @cached_property
    def chain_id(self) -> int:
        """The chain id (EIP-155)."""
        return int(self.request("eth_chainId"), 16)

    def request(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call's result."""
        return request(self._transport, method, *params)

    def request_all(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The response objects of several JSON-RPC calls in one request, for `rpc.result`."""
        answers: list[Any] = self._transport.make_batch_request(calls)
        return answers

    def final_header(self) -> Header:
        """The newest final block's header. Raises BadSignature when its seals are wrong."""
        return self._header(self.final_tag)

    def header_at(self, number: int) -> Header:
        """The header of a block that is final: checked like the newest, since every block has its own seals."""
        header = self._header(number)
        if header.number != number:
            raise FinalityViolated(f"block {number} was asked for and block {header.number} came", block=number)
        return header

    def sealed_header(self, block: Block) -> SealedHeader:
        """A header with its seals, unchecked (`headers.verify_seals` checks it)."""
        answer = self.request("feiqian_getSeals", _tag(block))
        if answer is None:
            raise ChainUnavailable(f"the node has no block {block}")
        return SealedHeader(_bytes(answer["header"]), tuple(_bytes(seal) for seal in answer["seals"]))

    def newest_timestamp(self) -> int:
        """The newest block's time in seconds, final or not."""
        return self._block("latest").timestamp

    def call(self, to: Address, data: bytes, block: Block | None = None, sender: Address | None = None) -> bytes:
        """Run a call without a transaction, by default on the newest final state."""
        message = {"to": to, "data": _hex(data)} | ({"from": sender} if sender else {})
        return _bytes(self.request("eth_call", message, _tag(self.final_tag if block is None else block)))

    def read(
        self, contract: str, address: Address, function: str, *arguments: object, block: Block | None = None
    ) -> tuple[Any, ...]:
        """Call a view of one of our contracts and decode what it returns."""
        result = self.call(address, encode_call(contract, function, *arguments), block)
        if not result:
            raise ChainUnavailable(f"{contract}.{function}: no contract answers at {address}")
        return decode_result(contract, function, result)

    def code(self, address: Address, block: Block | None = None) -> bytes:
        """The deployed code at an address, by default in the newest final block."""
        return _bytes(self.request("eth_getCode", address, _tag(self.final_tag if block is None else block)))

    def balance(self, address: Address) -> int:
        """Wei held for fees, in the newest block."""
        return int(self.request("eth_getBalance", address, "latest"), 16)

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """Logs of the blocks `first` to `last`, both included, in the chain's order."""
        wanted = [None if choice is None else [_hex(topic) for topic in choice] for choice in topics]
        found = self.request(
            "eth_getLogs",
            {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last), "topics": wanted},
        )
        return tuple(sorted(map(_log, found), key=lambda log: (log.block_number, log.position)))

    def proof(self, address: Address, slots: Sequence[int], block: Block) -> Any:
        """The account and storage proof (EIP-1186) as the node gives it."""
        return self.request("eth_getProof", address, [f"0x{slot:064x}" for slot in slots], _tag(block))

    def call_data(self, transaction_hash: bytes) -> bytes:
        """What a mined transaction carried. Raises ChainUnavailable when the node does not know it."""
        answer = self.request("eth_getTransactionByHash", _hex(transaction_hash))
        if answer is None:
            raise ChainUnavailable(f"the node has no transaction {_hex(transaction_hash)}")
        return _bytes(answer["input"])

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt, or None while the transaction is not in a block."""
        answer = self.request("eth_getTransactionReceipt", _hex(transaction_hash))
        return None if answer is None else _receipt(answer)

    def _header(self, block: Block) -> Header:
        if self.finality != "seals":
            return self._block(block)
        sealed = self.sealed_header(block)
        return verify_seals(sealed.encoded, sealed.seals, self.chain_id, self._validators)

    def _block(self, block: Block) -> Header:
        answer = self.request("eth_getBlockByNumber", _tag(block), False)
        if answer is None:
            raise ChainUnavailable(f"the node has no block {block}")
        return Header(
            number=int(answer["number"], 16),
            block_hash=_bytes(answer["hash"]),
            parent_hash=_bytes(answer["parentHash"]),
            state_root=_bytes(answer["stateRoot"]),
            timestamp=int(answer["timestamp"], 16),
        )


def check_finality(client: ChainClient, chain_id: int) -> Header:
    """Prove at start that the node serves this chain under the finality setting; the newest final header.

    Raises Malformed when the node serves another chain, BadSignature when the seals are wrong.
    """
    if client.chain_id != chain_id:
        raise Malformed(f"the node serves chain {client.chain_id}, the network file names {chain_id}")
    return client.final_header()


def _receipt(answer: Any) -> Receipt:
    created = answer.get("contractAddress")
    return Receipt(
        transaction_hash=_bytes(answer["transactionHash"]),
        succeeded=int(answer["status"], 16) == 1,
        block_number=int(answer["blockNumber"], 16),
        block_hash=_bytes(answer["blockHash"]),
        gas_used=int(answer["gasUsed"], 16),
        contract=created.lower() if created else None,
        logs=tuple(map(_log, answer["logs"])),
    )


def _log(answer: Any) -> Log:
    return Log(
        address=answer["address"].lower(),
        topics=tuple(_bytes(topic) for topic in answer["topics"]),
        data=_bytes(answer["data"]),
        block_number=int(answer["blockNumber"], 16),
        block_hash=_bytes(answer["blockHash"]),
        transaction_hash=_bytes(answer["transactionHash"]),
        position=int(answer["logIndex"], 16),
    )


def _tag(block: Block) -> str:
    return hex(block) if isinstance(block, int) else block


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
