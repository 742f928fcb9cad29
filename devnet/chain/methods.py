"""The JSON-RPC methods of a network's chain (execution-apis names and shapes), one function each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rlp
from eth.abc import BlockHeaderAPI, StateAPI
from eth_hash.auto import keccak

from devnet.chain import execute, fees, proofs, views
from devnet.chain.errors import LIMIT_EXCEEDED, RpcError, invalid_params, refused
from devnet.chain.quantities import as_hex, as_word, data, quantity

if TYPE_CHECKING:
    from devnet.chain.chain import Chain

CLIENT_VERSION = "feiqian-chain/1/py-evm-0.12.1b1/cancun"
MAXIMUM_LOGS = 10_000
MAXIMUM_CHOICES = 1_000
NEWEST_TAGS = {"latest", "safe", "finalized"}


@dataclass(frozen=True)
class Method:
    """A method and how many params it takes."""

    run: Callable[..., Any]
    least: int
    most: int


METHODS: dict[str, Method] = {}


def method(name: str, least: int, most: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        METHODS[name] = Method(run, least, most)
        return run

    return register


# Which block


def block_number(chain: "Chain", block: Any) -> int | None:
    """The number a block parameter means, None for "pending". Accepts tags, numbers and EIP-1898 objects."""
    if block is None or (isinstance(block, str) and block in NEWEST_TAGS):
        return chain.head.block_number
    if block == "pending":
        return None
    if block == "earliest":
        return 0
    if isinstance(block, dict):
        return _number_of_object(chain, block)
    if isinstance(block, str) and len(block) == 66:
        return _number_of_hash(chain, block)
    return quantity(block, "block")


def _number_of_object(chain: "Chain", block: dict[str, Any]) -> int:
    if set(block) == {"blockNumber"}:
        return quantity(block["blockNumber"], "blockNumber")
    if "blockHash" in block and set(block) <= {"blockHash", "requireCanonical"}:
        return _number_of_hash(chain, block["blockHash"])
    raise invalid_params("block: want blockNumber or blockHash")


def _number_of_hash(chain: "Chain", block_hash: Any) -> int:
    number = chain.store.block_number(data(block_hash, "block hash", 32))
    if number is None:
        raise refused("block not found")
    return number


def header_at(chain: "Chain", block: Any) -> BlockHeaderAPI:
    number = block_number(chain, block)
    return chain.pending_header() if number is None else chain.header(number)


def state_at(chain: "Chain", block: Any) -> StateAPI:
    return chain.state(header_at(chain, block))


# The chain


@method("web3_clientVersion", 0, 0)
def client_version(chain: "Chain") -> str:
    return CLIENT_VERSION


@method("web3_sha3", 1, 1)
def sha3(chain: "Chain", value: Any) -> str:
    return as_hex(keccak(data(value, "data")))


@method("net_version", 0, 0)
def net_version(chain: "Chain") -> str:
    return str(chain.chain_id)


@method("net_listening", 0, 0)
def listening(chain: "Chain") -> bool:
    return True


@method("net_peerCount", 0, 0)
def peer_count(chain: "Chain") -> str:
    return "0x0"


@method("eth_chainId", 0, 0)
def chain_id(chain: "Chain") -> str:
    return hex(chain.chain_id)


@method("eth_syncing", 0, 0)
def syncing(chain: "Chain") -> bool:
    return False


@method("eth_accounts", 0, 0)
def accounts(chain: "Chain") -> list[str]:
    return []


@method("eth_blockNumber", 0, 0)
def newest_number(chain: "Chain") -> str:
    return hex(chain.head.block_number)


@method("eth_gasPrice", 0, 0)
def gas_price(chain: "Chain") -> str:
    return hex(views.base_fee(chain.pending_header()))


@method("eth_maxPriorityFeePerGas", 0, 0)
def priority_fee(chain: "Chain") -> str:
    return "0x0"


@method("eth_feeHistory", 2, 3)
def fee_history(chain: "Chain", count: Any, newest: Any, percentiles: Any = None) -> Any:
    if percentiles is not None and not isinstance(percentiles, list):
        raise invalid_params("rewardPercentiles: want a list")
    blocks = count if type(count) is int and count >= 0 else quantity(count, "blockCount")
    return fees.fee_history(chain, blocks, header_at(chain, _sealed(newest)).block_number, percentiles or [])


def _sealed(block: Any) -> Any:
    return "latest" if block == "pending" else block


# Accounts


@method("eth_getBalance", 1, 2)
def balance(chain: "Chain", address: Any, block: Any = None) -> str:
    return hex(state_at(chain, block).get_balance(data(address, "address", 20)))  # type: ignore[arg-type]


@method("eth_getCode", 1, 2)
def code(chain: "Chain", address: Any, block: Any = None) -> str:
    return as_hex(state_at(chain, block).get_code(data(address, "address", 20)))  # type: ignore[arg-type]


@method("eth_getStorageAt", 2, 3)
def storage_at(chain: "Chain", address: Any, slot: Any, block: Any = None) -> str:
    where = data(address, "address", 20)
    return as_word(state_at(chain, block).get_storage(where, quantity(slot, "slot")))  # type: ignore[arg-type]


@method("eth_getTransactionCount", 1, 2)
def transaction_count(chain: "Chain", address: Any, block: Any = None) -> str:
    sender = data(address, "address", 20)
    nonce = state_at(chain, block).get_nonce(sender)  # type: ignore[arg-type]
    return hex(chain.pool.next_nonce(sender, nonce) if block == "pending" else nonce)


@method("eth_getProof", 2, 3)
def proof(chain: "Chain", address: Any, slots: Any, block: Any = None) -> Any:
    if not isinstance(slots, list) or len(slots) > proofs.MAXIMUM_SLOTS:
        raise invalid_params(f"storageKeys: want a list of at most {proofs.MAXIMUM_SLOTS}")
    root = header_at(chain, _sealed(block)).state_root
    keys = [quantity(slot, "storage key") for slot in slots]
    return proofs.account_proof(chain.store, root, data(address, "address", 20), keys)


# Execution


@method("eth_call", 1, 2)
def call(chain: "Chain", transaction: Any, block: Any = None) -> str:
    return as_hex(execute.run_call(state_at(chain, block), execute.parse_call(transaction)))


@method("eth_estimateGas", 1, 2)
def estimate_gas(chain: "Chain", transaction: Any, block: Any = "pending") -> str:
    header = header_at(chain, block)
    return hex(execute.estimate_gas(lambda: chain.state(header), execute.parse_call(transaction)))


@method("eth_sendRawTransaction", 1, 1)
def send_raw_transaction(chain: "Chain", raw: Any) -> str:
    return as_hex(chain.submit(data(raw, "transaction")))


# Blocks and transactions


@method("eth_getBlockByNumber", 1, 2)
def block_by_number(chain: "Chain", block: Any, full: Any = False) -> Any:
    number = block_number(chain, block)
    if number is None:
        return views.pending_view(chain.pending_header(), chain.pool.ready(chain.nonce_of()), full is True)
    if number > chain.head.block_number:
        return None
    return views.block_view(chain.record(number), full is True)


@method("eth_getBlockByHash", 1, 2)
def block_by_hash(chain: "Chain", block_hash: Any, full: Any = False) -> Any:
    number = chain.store.block_number(data(block_hash, "block hash", 32))
    return None if number is None else views.block_view(chain.record(number), full is True)


@method("eth_getBlockTransactionCountByNumber", 1, 1)
def count_by_number(chain: "Chain", block: Any) -> str | None:
    number = block_number(chain, _sealed(block))
    if number is None or number > chain.head.block_number:
        return None
    return hex(len(chain.record(number).hashes))


@method("eth_getBlockTransactionCountByHash", 1, 1)
def count_by_hash(chain: "Chain", block_hash: Any) -> str | None:
    number = chain.store.block_number(data(block_hash, "block hash", 32))
    return None if number is None else hex(len(chain.record(number).hashes))


@method("eth_getTransactionByHash", 1, 1)
def transaction_by_hash(chain: "Chain", transaction_hash: Any) -> Any:
    wanted = data(transaction_hash, "transaction hash", 32)
    place = chain.evm.transaction_place(wanted)
    if place is not None:
        record = chain.record(place[0])
        return views.transaction_view(record.block.transactions[place[1]], record, place[1])
    waiting = chain.pool.get(wanted)
    return None if waiting is None else views.transaction_view(waiting, None, 0)


@method("eth_getTransactionByBlockNumberAndIndex", 2, 2)
def transaction_by_place(chain: "Chain", block: Any, index: Any) -> Any:
    number = block_number(chain, _sealed(block))
    if number is None or number > chain.head.block_number:
        return None
    return _transaction_in(chain.record(number), quantity(index, "index"))


@method("eth_getTransactionByBlockHashAndIndex", 2, 2)
def transaction_by_hash_and_index(chain: "Chain", block_hash: Any, index: Any) -> Any:
    number = chain.store.block_number(data(block_hash, "block hash", 32))
    return None if number is None else _transaction_in(chain.record(number), quantity(index, "index"))


def _transaction_in(record: views.BlockRecord, index: int) -> Any:
    if index >= len(record.hashes):
        return None
    return views.transaction_view(record.block.transactions[index], record, index)


@method("eth_getTransactionReceipt", 1, 1)
def receipt(chain: "Chain", transaction_hash: Any) -> Any:
    place = chain.evm.transaction_place(data(transaction_hash, "transaction hash", 32))
    return None if place is None else views.receipt_view(chain.record(place[0]), place[1])


@method("eth_getBlockReceipts", 1, 1)
def block_receipts(chain: "Chain", block: Any) -> Any:
    number = block_number(chain, _sealed(block))
    if number is None or number > chain.head.block_number:
        return None
    record = chain.record(number)
    return [views.receipt_view(record, index) for index in range(len(record.hashes))]


@method("feiqian_getSeals", 1, 1)
def seals(chain: "Chain", block: Any) -> Any:
    """A block's header (RLP) and its validators' seals: what an auditor needs to trust its state root."""
    header = header_at(chain, _sealed(block))
    return {
        "blockHash": as_hex(header.hash),
        "blockNumber": hex(header.block_number),
        "header": as_hex(rlp.encode(header)),
        "seals": [as_hex(seal) for seal in chain.store.seals(header.block_number)],
    }


# Logs


@method("eth_getLogs", 1, 1)
def logs(chain: "Chain", wanted: Any) -> list[Any]:
    if not isinstance(wanted, dict):
        raise invalid_params("filter: want an object")
    unknown = sorted(set(wanted) - {"fromBlock", "toBlock", "blockHash", "address", "topics"})
    if unknown:
        raise invalid_params(f"filter: unknown field {unknown[0]!r}")
    first, last = _log_range(chain, wanted)
    addresses = _choices(wanted.get("address"), "address", 20)
    topics = wanted.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise invalid_params("topics: want a list of at most four")
    choices = [_choices(topic, "topic", 32) for topic in topics]
    rows = chain.store.logs(first, last, addresses, choices, MAXIMUM_LOGS + 1)
    if len(rows) > MAXIMUM_LOGS:
        raise RpcError(
            LIMIT_EXCEEDED, f"query returned more than {MAXIMUM_LOGS} results: ask for fewer blocks at a time"
        )
    return [views.log_view(row, chain.header(row.block)) for row in rows]


def _log_range(chain: "Chain", wanted: dict[str, Any]) -> tuple[int, int]:
    if wanted.get("blockHash") is not None:
        if wanted.get("fromBlock") is not None or wanted.get("toBlock") is not None:
            raise invalid_params("filter: blockHash excludes fromBlock and toBlock")
        number = _number_of_hash(chain, wanted["blockHash"])
        return number, number
    head = chain.head.block_number
    first = block_number(chain, _sealed(wanted.get("fromBlock")))
    last = block_number(chain, _sealed(wanted.get("toBlock")))
    assert first is not None
    assert last is not None
    if first > last:
        raise invalid_params("filter: fromBlock is after toBlock")
    return min(first, head + 1), min(last, head)


def _choices(value: Any, name: str, size: int) -> list[bytes]:
    if value is None:
        return []
    listed = value if isinstance(value, list) else [value]
    if len(listed) > MAXIMUM_CHOICES:
        raise RpcError(LIMIT_EXCEEDED, f"{name}: at most {MAXIMUM_CHOICES} choices")
    return [data(one, name, size) for one in listed]
