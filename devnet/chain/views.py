"""Blocks, transactions, receipts and logs as Ethereum JSON-RPC writes them (execution-apis schemas)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth_hash.auto import keccak

from devnet.chain.quantities import as_hex, as_word
from devnet.chain.store import LogRow

Json = dict[str, Any]


@dataclass(frozen=True)
class BlockRecord:
    """A block with everything an answer about it needs."""

    block: BlockAPI
    receipts: tuple[ReceiptAPI, ...]
    hashes: tuple[bytes, ...]

    @property
    def header(self) -> BlockHeaderAPI:
        return self.block.header


def block_view(record: BlockRecord, full: bool) -> Json:
    """A block; `full` writes transactions out instead of their hashes."""
    header = record.header
    transactions = record.block.transactions
    return {
        **header_view(header),
        "size": hex(len(rlp.encode(record.block))),
        "uncles": [],
        "withdrawals": [],
        "transactions": [transaction_view(tx, record, at) for at, tx in enumerate(transactions)]
        if full
        else [as_hex(one) for one in record.hashes],
    }


def header_view(header: BlockHeaderAPI) -> Json:
    return {
        "number": hex(header.block_number),
        "hash": as_hex(header.hash),
        "parentHash": as_hex(header.parent_hash),
        "sha3Uncles": as_hex(header.uncles_hash),
        "miner": as_hex(header.coinbase),
        "stateRoot": as_hex(header.state_root),
        "transactionsRoot": as_hex(header.transaction_root),
        "receiptsRoot": as_hex(header.receipt_root),
        "logsBloom": "0x" + header.bloom.to_bytes(256, "big").hex(),
        "difficulty": hex(header.difficulty),
        "totalDifficulty": "0x0",
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": as_hex(header.extra_data),
        "mixHash": as_hex(header.mix_hash or b""),
        "nonce": as_hex(header.nonce),
        "baseFeePerGas": hex(base_fee(header)),
        "withdrawalsRoot": as_hex(header.withdrawals_root or b""),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": as_hex(header.parent_beacon_block_root or b""),
    }


def pending_view(header: BlockHeaderAPI, transactions: Sequence[SignedTransactionAPI], full: bool) -> Json:
    """The block that would come next; it has no hash and no seal yet."""
    view = header_view(header)
    view.update(hash=None, nonce=None, miner=None, size="0x0", uncles=[], withdrawals=[])
    view["transactions"] = [transaction_view(one, None, 0) if full else as_hex(one.hash) for one in transactions]
    return view


def transaction_view(transaction: SignedTransactionAPI, record: BlockRecord | None, index: int) -> Json:
    """A transaction; without a record it is still waiting."""
    header = record.header if record else None
    view: Json = {
        "hash": as_hex(record.hashes[index] if record else transaction.hash),
        "blockHash": as_hex(header.hash) if header else None,
        "blockNumber": hex(header.block_number) if header else None,
        "transactionIndex": hex(index) if header else None,
        "type": hex(transaction_type(transaction)),
        "chainId": hex(transaction.chain_id or 0),
        "from": as_hex(transaction.sender),
        "to": _recipient(transaction),
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
        "input": as_hex(transaction.data),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    if transaction_type(transaction) == 0:
        view.update(v=hex(transaction.v), gasPrice=hex(transaction.gas_price))  # type: ignore[attr-defined]
        return view
    price = effective_price(transaction, base_fee(header)) if header else transaction.max_fee_per_gas
    view.update(
        v=hex(transaction.y_parity),
        yParity=hex(transaction.y_parity),
        accessList=[
            {"address": as_hex(account), "storageKeys": [as_word(key) for key in keys]}
            for account, keys in transaction.access_list
        ],
        gasPrice=hex(price),
    )
    if transaction_type(transaction) == 2:
        view["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        view["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return view


def receipt_view(record: BlockRecord, index: int) -> Json:
    """The receipt of a block's transaction, with the log positions counted over the whole block."""
    transaction, receipt = record.block.transactions[index], record.receipts[index]
    before = record.receipts[index - 1].gas_used if index else 0
    first_log = sum(len(one.logs) for one in record.receipts[:index])
    created = transaction.to == CREATE_CONTRACT_ADDRESS
    return {
        "transactionHash": as_hex(record.hashes[index]),
        "transactionIndex": hex(index),
        "blockHash": as_hex(record.header.hash),
        "blockNumber": hex(record.header.block_number),
        "from": as_hex(transaction.sender),
        "to": _recipient(transaction),
        "contractAddress": created_address(transaction) if created else None,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - before),
        "effectiveGasPrice": hex(effective_price(transaction, base_fee(record.header))),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "type": hex(transaction_type(transaction)),
        "logsBloom": "0x" + receipt.bloom.to_bytes(256, "big").hex(),
        "logs": [log_view(row, record.header) for row in log_rows(record)[first_log : first_log + len(receipt.logs)]],
    }


def log_rows(record: BlockRecord) -> list[LogRow]:
    """All logs of a block, numbered through."""
    rows: list[LogRow] = []
    for index, receipt in enumerate(record.receipts):
        for entry in receipt.logs:
            topics = tuple(topic.to_bytes(32, "big") for topic in entry.topics)
            number, position = record.header.block_number, len(rows)
            rows.append(LogRow(number, position, entry.address, topics, entry.data, record.hashes[index], index))
    return rows


def log_view(row: LogRow, header: BlockHeaderAPI) -> Json:
    return {
        "address": as_hex(row.address),
        "topics": [as_hex(topic) for topic in row.topics],
        "data": as_hex(row.data),
        "blockNumber": hex(row.block),
        "blockHash": as_hex(header.hash),
        "blockTimestamp": hex(header.timestamp),
        "transactionHash": as_hex(row.transaction_hash),
        "transactionIndex": hex(row.transaction_index),
        "logIndex": hex(row.position),
        "removed": False,
    }


def transaction_type(transaction: SignedTransactionAPI) -> int:
    """The EIP-2718 type; 0 for a legacy transaction."""
    return transaction.type_id or 0


def base_fee(header: BlockHeaderAPI) -> int:
    """Wei per gas that a block asks (EIP-1559); every block of this chain has it."""
    fee = header.base_fee_per_gas
    assert fee is not None
    return fee


def effective_price(transaction: SignedTransactionAPI, asked: int) -> int:
    """Wei per gas really paid (EIP-1559)."""
    return min(transaction.max_fee_per_gas, asked + transaction.max_priority_fee_per_gas)


def created_address(transaction: SignedTransactionAPI) -> str:
    """Where CREATE puts a transaction's contract: keccak(rlp([sender, nonce])), last 20 bytes."""
    return as_hex(keccak(rlp.encode([transaction.sender, transaction.nonce]))[12:])


def _recipient(transaction: SignedTransactionAPI) -> str | None:
    return None if transaction.to == CREATE_CONTRACT_ADDRESS else as_hex(transaction.to)
