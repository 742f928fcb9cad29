"""Ledger: one signed net position a participant and currency, and the caps below zero."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.terms.batch import Position
from contracts.terms.identifiers import Address
from tests.contract.model.participants import ACTIVE, Participants
from tests.contract.model.world import Contract, World, require

MAX_AMOUNT = 2**127 - 1
MAX_CURRENCIES, MAX_DECIMALS = 64, 4
WITHOUT_LIMIT = 2**256 - 1


@dataclass(frozen=True)
class Currency:
    code: str
    name: str
    decimals: int


class Ledger(Contract):
    def __init__(
        self, world: World, address: Address, council: Address, participants: Address, settlement: Address
    ) -> None:
        super().__init__(world, address)
        self.council, self._participants, self.settlement = council, participants, settlement
        self.currencies: dict[int, Currency] = {}
        self.net: dict[tuple[Address, int], int] = defaultdict(int)
        self.caps: dict[tuple[Address, int], int] = defaultdict(int)
        self.supply: dict[int, int] = defaultdict(int)
        self.allowances: dict[tuple[Address, Address, int], int] = defaultdict(int)
        self.operators: set[tuple[Address, Address]] = set()

    def define_currency(self, sender: Address, currency: int, code: str, name: str, decimals: int) -> None:
        require(sender == self.council, "ledger: only the council")
        require(currency not in self.currencies, "ledger: currency defined")
        require(len(self.currencies) < MAX_CURRENCIES, "ledger: currencies")
        require(decimals <= MAX_DECIMALS, "ledger: decimals")
        require(re.fullmatch("[A-Z]{3}", code) is not None, "ledger: code")
        self.currencies[currency] = Currency(code, name, decimals)

    def issue(self, sender: Address, account: Address, currency: int, amount: int) -> None:
        self._require_bank(sender, currency)
        self._require_active(account)
        require(amount <= MAX_AMOUNT, "ledger: amount")
        self.net[account, currency] += amount
        self.supply[currency] += amount

    def redeem(self, sender: Address, account: Address, currency: int, amount: int) -> None:
        self._require_bank(sender, currency)
        self._take(account, currency, amount)
        require(amount <= self.supply[currency], "ledger: insufficient supply")
        self.supply[currency] -= amount

    def set_cap(self, sender: Address, account: Address, currency: int, cap: int) -> None:
        self._require_bank(sender, currency)
        require(cap <= MAX_AMOUNT, "ledger: amount")
        self.caps[account, currency] = cap

    def apply(self, sender: Address, positions: Iterable[Position]) -> None:
        require(sender == self.settlement, "ledger: only settlement")
        for position in positions:
            self.net[position.account, position.currency] += position.delta

    def check(self, sender: Address, positions: Iterable[Position]) -> None:
        """Asked of those whom a batch debits only: a debt left by a lowered cap may be repaid."""
        for each in positions:
            key = (each.account, each.currency)
            require(each.delta >= 0 or self.net[key] >= -self.caps[key], "ledger: insufficient liquidity")

    def replace_settlement(self, sender: Address, old: Address, new: Address) -> None:
        require(sender == self.council, "ledger: only the council")
        require(old == self.settlement, "ledger: settlement")
        self.settlement = new

    def transfer(self, sender: Address, receiver: Address, currency: int, amount: int) -> bool:
        self._move(sender, receiver, currency, amount)
        return True

    def transferFrom(self, sender: Address, owner: Address, receiver: Address, currency: int, amount: int) -> bool:
        if sender != owner and (owner, sender) not in self.operators:
            allowed = self.allowances[owner, sender, currency]
            require(allowed >= amount, "ledger: insufficient allowance")
            if allowed != WITHOUT_LIMIT:
                self.allowances[owner, sender, currency] = allowed - amount
        self._move(owner, receiver, currency, amount)
        return True

    def approve(self, sender: Address, spender: Address, currency: int, amount: int) -> bool:
        self.allowances[sender, spender, currency] = amount
        return True

    def setOperator(self, sender: Address, spender: Address, approved: bool) -> bool:
        (self.operators.add if approved else self.operators.discard)((sender, spender))
        return True

    def balance(self, account: Address, currency: int) -> int:
        return max(self.net[account, currency], 0)

    def is_clear(self, account: Address) -> bool:
        return all(self.net[account, each] == 0 and self.caps[account, each] == 0 for each in self.currencies)

    @property
    def participants(self) -> Participants:
        return self.world.contracts[self._participants]  # type: ignore[return-value]

    def _move(self, sender: Address, receiver: Address, currency: int, amount: int) -> None:
        require(currency in self.currencies, "ledger: unknown currency")
        bank = self.participants.bank_of(currency)
        require(bank in (sender, receiver), "ledger: only through settlement")
        self._require_active(receiver)
        self._take(sender, currency, amount)
        self.net[receiver, currency] += amount

    def _take(self, account: Address, currency: int, amount: int) -> None:
        require(self.balance(account, currency) >= amount, "ledger: insufficient balance")
        self.net[account, currency] -= amount

    def _require_bank(self, sender: Address, currency: int) -> None:
        require(currency in self.currencies, "ledger: unknown currency")
        require(sender == self.participants.bank_of(currency), "ledger: not the settlement bank")

    def _require_active(self, account: Address) -> None:
        require(self.participants.status(account) == ACTIVE, "ledger: not an active participant")
