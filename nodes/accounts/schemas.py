"""Accounts at the door."""

from __future__ import annotations

from pydantic import Field

from nodes.accounts.service import Account, BookSum
from serving.bodies import Schema

Identifier = Field(min_length=1, max_length=70, pattern=r"^[A-Za-z0-9._-]+$")
"""Without a colon, which marks the institution's own accounts and its merchants'."""


class PartyBody(Schema):
    """A customer as compliance screens it."""

    name: str = Field(min_length=1, max_length=140, description="ISO 20022 Max140Text")
    kind: str = Field(default="person", pattern="^(person|organization)$")
    country: str = Field(default="", pattern="^([A-Z]{2})?$")
    birth_date: str = Field(default="", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    nationality: str = Field(default="", pattern="^([A-Z]{2})?$")
    gender: str = Field(default="", pattern="^(male|female)?$")
    identification: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9 ./-]{0,34})?$",
        description="the number of one document or register entry (ISO 20022 Max35Text)",
    )


class OpenAccountBody(Schema):
    id: str = Identifier
    owner: str = Field(min_length=1, max_length=70, description="the token subject that may use the account")
    party: PartyBody


class DepositBody(Schema):
    amount: str = Field(description='minor units, such as "1250" for 12.50')


class AccountBody(Schema):
    id: str
    currency: str
    balance: str
    earmarked: str
    available: str

    @classmethod
    def of(cls, account: Account) -> AccountBody:
        return cls(
            id=account.id,
            currency=account.currency.alpha,
            balance=str(account.balance),
            earmarked=str(account.earmarked),
            available=str(account.available),
        )


class BookBody(Schema):
    currency: str
    settlement: str = Field(description="what the institution owns on chain, by its book")
    customers: str
    merchants: str
    own: str
    balanced: bool
    breaks: list[str] = Field(description="settled batches whose payments this book lacks; empty when it is whole")

    @classmethod
    def of(cls, book: BookSum, breaks: list[str]) -> BookBody:
        return cls(
            currency=book.currency.alpha,
            settlement=str(book.settlement),
            customers=str(book.customers),
            merchants=str(book.merchants),
            own=str(book.own),
            balanced=book.balanced,
            breaks=breaks,
        )
