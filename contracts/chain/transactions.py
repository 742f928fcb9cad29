"""Transactions: signed by one key, sent with nonces in order, waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import rlp

from contracts.chain.client import ChainClient, Receipt
from contracts.chain.reverts import refusal
from contracts.chain.rpc import RpcError, result
from contracts.terms.commitments import keccak
from contracts.terms.errors import ChainUnavailable, FeiqianError
from contracts.terms.identifiers import Address
from contracts.terms.signing import Signer

_TYPE_1559 = b"\x02"
_SEND = "eth_sendRawTransaction"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25


class TransactionSender:
    """Sends one key's transactions, in order, from several threads. No other process may use the same key.

    The chain node says each nonce: it may have lost what waited there (killed, or its pool cleared), and whatever we
    counted on would then wait behind a gap that nobody fills.
    """

    def __init__(self, client: ChainClient, signer: Signer) -> None:
        self.client = client
        self._signer = signer
        self._lock = threading.Lock()

    @property
    def address(self) -> Address:
        return self._signer.address

    def transact(self, to: Address | None, data: bytes, gas: int | None = None) -> Receipt:
        """Send and wait until mined. Raises a contract's refusal, before sending where the simulation shows it."""
        return self.wait([self.send(to, data, gas)])[0]

    def send(self, to: Address | None, data: bytes, gas: int | None = None) -> bytes:
        """Send without waiting; the transaction's hash. `to` None creates a contract. Without `gas` the limit is
        estimated, which raises the refusal of a transaction that would revert now."""
        try:
            return self.send_all([(to, data)], gas)[0]
        except RpcError as failure:
            if not _is_stale_nonce(failure):
                raise
        # A transaction that was lost on the way arrived between question and answer: ask again, once.
        return self.send_all([(to, data)], gas)[0]

    def send_all(self, calls: Sequence[tuple[Address | None, bytes]], gas: int | None = None) -> list[bytes]:
        """Send several in order, as one request, so that they share a block where they fit; as `send` for each."""
        limits = [self._estimate(to, data) if gas is None else gas for to, data in calls]
        with self._lock:
            nonce, priority, base = self._terms()
            raws = [
                self._raw(to, data, limit, nonce + number, priority, 2 * base + priority)
                for number, ((to, data), limit) in enumerate(zip(calls, limits, strict=True))
            ]
            answers = self.client.request_all([(_SEND, ["0x" + raw.hex()]) for raw in raws])
        for answer in answers:
            try:
                result(_SEND, answer)
            except RpcError as failure:
                if "already known" not in failure.message:
                    raise
        return [keccak(raw) for raw in raws]

    def wait(self, hashes: Sequence[bytes], timeout: float = 30.0) -> list[Receipt]:
        """The receipts once all are mined. Raises the first one's refusal, or ChainUnavailable after `timeout` s."""
        end = time.monotonic() + timeout
        receipts = [self._wait_one(each, end) for each in hashes]
        for receipt in receipts:
            if not receipt.succeeded:
                raise self._why(receipt)
        return receipts

    def _terms(self) -> tuple[int, int, int]:
        """The next nonce, the priority fee and the going price."""
        asked: list[tuple[str, list[object]]] = [
            ("eth_getTransactionCount", [self.address, "pending"]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
        ]
        answers = self.client.request_all(asked)
        nonce, priority, base = (
            int(result(method, answer), 16) for (method, _), answer in zip(asked, answers, strict=True)
        )
        return nonce, priority, base

    def _raw(self, to: Address | None, data: bytes, gas: int, nonce: int, priority: int, most: int) -> bytes:
        """Of EIP-1559. `most` a unit of gas is twice the going price: it must outlive a few full blocks' rises of the
        base fee."""
        fields = [self.client.chain_id, nonce, priority, most, gas, _address(to), 0, data, []]
        return _signed(self._signer, fields)

    def _estimate(self, to: Address | None, data: bytes) -> int:
        message = {"from": self.address, "data": "0x" + data.hex()} | ({"to": to} if to else {})
        estimate = int(self.client.request("eth_estimateGas", message), 16)
        # A quarter more, as the state may differ by the time the transaction runs.
        return estimate + estimate // 4

    def _wait_one(self, transaction_hash: bytes, end: float) -> Receipt:
        pause = _FIRST_PAUSE
        while (receipt := self.client.receipt(transaction_hash)) is None:
            if time.monotonic() >= end:
                raise ChainUnavailable(f"transaction 0x{transaction_hash.hex()} is in no block yet")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return receipt

    def _why(self, receipt: Receipt) -> Exception:
        """Run the failed call again on the state after its block: receipts carry no reason."""
        sent = self.client.request("eth_getTransactionByHash", "0x" + receipt.transaction_hash.hex())
        message = {"from": sent["from"], "data": sent["input"], "gas": sent["gas"]}
        message |= {"to": sent["to"]} if sent["to"] else {}
        try:
            self.client.request("eth_call", message, hex(receipt.block_number))
        except FeiqianError as failure:
            return failure
        return refusal("")


def _signed(signer: Signer, fields: list[object]) -> bytes:
    """EIP-1559: 0x02 || rlp([chain id, nonce, priority fee, fee, gas, to, value, data, access list, y, r, s])."""
    signature = signer.sign(keccak(_TYPE_1559 + rlp.encode(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return bytes(_TYPE_1559 + rlp.encode([*fields, signature[64] - 27, r, s]))


def _address(to: Address | None) -> bytes:
    return bytes.fromhex(to[2:]) if to else b""


def _is_stale_nonce(failure: RpcError) -> bool:
    return "nonce too low" in failure.message.lower()
