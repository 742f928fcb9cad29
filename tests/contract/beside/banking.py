"""Moves of the Ledger: what settlement banks do, and transfers that try to go round Settlement."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from contracts.terms.batch import Position
from contracts.terms.identifiers import Address
from tests.contract.beside.drafts import EDGE, LUCK, pick
from tests.contract.beside.ground import CURRENCIES, ROLES, USD
from tests.contract.beside.moves import Moves
from tests.contract.beside.wire import address
from tests.contract.model.ledger import WITHOUT_LIMIT

NAMES = (*ROLES, "stranger")


class Banking(Moves):
    def bank(self, currency: int) -> Address:
        return self.register.bank_of(currency)

    def order(self, sender: Address, function: str, *arguments: Any) -> str:
        return self.send(sender, self.ledger.address, function, *arguments)

    def someone(self, luck: Random) -> Address:
        return address(pick(luck, *NAMES))

    def amount(self, luck: Random, account: Address, currency: int) -> int:
        """Some, all, one too much, and the ends of the types."""
        balance = self.ledger.balance(account, currency)
        supply = self.ledger.supply[currency]
        return int(pick(luck, 0, 1, 500, balance, balance + 1, supply, EDGE - 1, EDGE, WITHOUT_LIMIT))

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def valid_issue(self, luck: Random, currency: int) -> None:
        self.order(self.bank(currency), "issue", self.someone(luck), currency, pick(luck, 1, 90_000, EDGE - 1, EDGE))

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def valid_redeem(self, luck: Random, currency: int) -> None:
        rich = [account for (account, unit), net in self.ledger.net.items() if unit == currency and net > 0]
        account = pick(luck, self.someone(luck), *rich)
        self.order(self.bank(currency), "redeem", account, currency, self.amount(luck, account, currency))

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def valid_cap(self, luck: Random, currency: int) -> None:
        """Raised for anyone; or lowered under whoever is in debt."""
        debtors = [account for (account, unit), net in self.ledger.net.items() if unit == currency and net < 0]
        account = pick(luck, self.someone(luck), *debtors)
        self.order(self.bank(currency), "set_cap", account, currency, pick(luck, 0, 1, 5_000, 10**6, EDGE - 1, EDGE))

    @rule(luck=LUCK, function=st.sampled_from(["issue", "redeem", "set_cap"]))
    def wrong_bank(self, luck: Random, function: str) -> None:
        """A currency's balance is its bank's affair: not another bank's, nor one's own, nor of an unknown currency."""
        account, currency = self.someone(luck), pick(luck, *CURRENCIES, USD, 0)
        self.order(pick(luck, account, self.someone(luck)), function, account, currency, pick(luck, 1, EDGE))

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def valid_transfer(self, luck: Random, currency: int) -> None:
        """To the bank or from it."""
        ends = [self.someone(luck), self.bank(currency)]
        payer, payee = pick(luck, ends, ends[::-1])
        self.order(payer, "transfer", payee, currency, self.amount(luck, payer, currency))

    @rule(luck=LUCK)
    def wrong_transfer(self, luck: Random) -> None:
        """Between members it must go through Settlement."""
        payer, currency = self.someone(luck), pick(luck, *CURRENCIES, USD, 2**16, WITHOUT_LIMIT)
        self.order(payer, "transfer", self.someone(luck), currency, pick(luck, 0, 1))

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def valid_allowance(self, luck: Random, currency: int) -> None:
        amount = pick(luck, 0, 700, EDGE, WITHOUT_LIMIT)
        self.order(self.someone(luck), "approve", self.someone(luck), currency, amount)

    @rule(luck=LUCK, approved=st.booleans())
    def valid_operator(self, luck: Random, approved: bool) -> None:
        self.order(self.someone(luck), "setOperator", self.someone(luck), approved)

    @precondition(lambda self: self.ledger.operators or self.ledger.allowances)
    @rule(luck=LUCK)
    def valid_transfer_for_another(self, luck: Random) -> None:
        """By an operator or on an allowance; most go to the bank, some to where only Settlement may move it."""
        permitted = [(owner, spender) for owner, spender, _ in self.ledger.allowances]
        owner, spender = pick(luck, *sorted({*permitted, *self.ledger.operators}))
        currency = pick(luck, *CURRENCIES)
        receiver = pick(luck, self.bank(currency), self.bank(currency), self.someone(luck))
        amount = self.amount(luck, owner, currency)
        self.order(spender, "transferFrom", owner, receiver, currency, amount)

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def wrong_transfer_for_another(self, luck: Random, currency: int) -> None:
        self.order(
            self.someone(luck), "transferFrom", self.someone(luck), self.bank(currency), currency, pick(luck, 0, 1)
        )

    @rule(luck=LUCK, currency=st.sampled_from(CURRENCIES))
    def wrong_apply(self, luck: Random, currency: int) -> None:
        who = pick(luck, self.someone(luck), self.bank(currency), self.council.address)
        self.order(who, "apply", (Position(who, currency, 1),))
