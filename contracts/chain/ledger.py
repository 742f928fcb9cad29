"""Ledger: tokenised balances and net debit caps, all in minor units; currencies as ISO 4217 numeric codes."""

from __future__ import annotations

from contracts.chain.abi import encode_call
from contracts.chain.client import Block, ChainClient
from contracts.terms.identifiers import Address


class Ledger:
    """The Ledger contract at one address. The `*_call` methods give call data for a transaction of the currency's
    settlement bank (`transfer_call`: of the payer or the bank; `replace_settlement_call`: of the council)."""

    def __init__(self, client: ChainClient, address: Address) -> None:
        self._client = client
        self.address = address

    def net_position(self, account: Address, currency: int, block: Block | None = None) -> int:
        """A participant's signed position, by default in the newest final block."""
        return self._number("net_position", account, currency, block=block)

    def cap(self, account: Address, currency: int, block: Block | None = None) -> int:
        """How far the position may go below zero."""
        return self._number("cap", account, currency, block=block)

    def total_supply(self, currency: int, block: Block | None = None) -> int:
        """Issued less redeemed; equal to the sum of all net positions."""
        return self._number("totalSupply", currency, block=block)

    def balance_of(self, account: Address, currency: int, block: Block | None = None) -> int:
        """ERC-6909: the position when positive, else 0."""
        return self._number("balanceOf", account, currency, block=block)

    def settlement(self, block: Block | None = None) -> Address:
        """The Settlement in office."""
        return str(self._client.read("Ledger", self.address, "settlement", block=block)[0])

    @staticmethod
    def issue_call(account: Address, currency: int, amount: int) -> bytes:
        return encode_call("Ledger", "issue", account, currency, amount)

    @staticmethod
    def redeem_call(account: Address, currency: int, amount: int) -> bytes:
        return encode_call("Ledger", "redeem", account, currency, amount)

    @staticmethod
    def set_cap_call(account: Address, currency: int, cap: int) -> bytes:
        return encode_call("Ledger", "set_cap", account, currency, cap)

    @staticmethod
    def transfer_call(receiver: Address, currency: int, amount: int) -> bytes:
        return encode_call("Ledger", "transfer", receiver, currency, amount)

    @staticmethod
    def replace_settlement_call(old: Address, new: Address) -> bytes:
        return encode_call("Ledger", "replace_settlement", old, new)

    def _number(self, function: str, *arguments: object, block: Block | None = None) -> int:
        return int(self._client.read("Ledger", self.address, function, *arguments, block=block)[0])
