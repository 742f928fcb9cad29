"""Ledger: tokenised balances and net debit caps, all in minor units; currencies as ISO 4217 numeric codes."""

from __future__ import annotations

from contracts.chain.abi import encode_call
from contracts.chain.client import Block, ChainClient
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency


class Ledger:
    """The Ledger contract at one address. The `*_call` methods give call data for a transaction of the currency's
    settlement bank (`transfer_call`: of the payer or the bank; `define_currency_call` and `replace_settlement_call`: of
    the council)."""

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

    def currencies(self, block: Block | None = None) -> tuple[int, ...]:
        """The currencies that may be issued, in the order of definition."""
        return tuple(self._client.read("Ledger", self.address, "currencies", block=block)[0])

    def is_clear(self, account: Address, block: Block | None = None) -> bool:
        """Whether the account's net position and cap are zero in every defined currency."""
        return bool(self._client.read("Ledger", self.address, "is_clear", account, block=block)[0])

    def settlement(self, block: Block | None = None) -> Address:
        """The Settlement in office."""
        return str(self._client.read("Ledger", self.address, "settlement", block=block)[0])

    @staticmethod
    def define_currency_call(unit: Currency) -> bytes:
        """The token of a currency of `contracts.terms.currencies`."""
        name = f"{unit.alpha} settlement balance"
        return encode_call("Ledger", "define_currency", unit.numeric, unit.alpha, name, unit.decimals)

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
