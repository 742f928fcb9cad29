"""Merchants: registered by their acquirer, found by payers through the code they show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from contracts.terms.errors import Conflict, Malformed, UnknownMerchant
from contracts.terms.money import Currency
from contracts.terms.parties import Party
from nodes.accounts import service as accounts
from nodes.merchants import codes, repository


@dataclass(frozen=True)
class Merchant:
    """One merchant. `lookup_key` is what its code says it is, such as "SG.PAYNOW:201403121W"; `further_keys` are what
    it says in the other schemes that the acquirer answers for."""

    id: str
    owner: str
    name: str
    city: str
    category: str
    account: str
    lookup_key: str
    further_keys: tuple[str, ...] = ()

    @property
    def lookup_keys(self) -> tuple[str, ...]:
        return self.lookup_key, *self.further_keys


@dataclass(frozen=True)
class Registration:
    """What an acquirer states about a new merchant; `proxy` is its own identifier in a proxy scheme (a UEN)."""

    id: str
    owner: str
    name: str
    city: str
    category: str
    proxy: str


def register(
    connection: Connection, who: Registration, schemes: Sequence[codes.MerchantScheme], unit: Currency, country: str
) -> Merchant:
    """Register a merchant and open its account; the first scheme is its country's. The same registration again changes
    nothing."""
    known = repository.find(connection, who.id)
    if known is not None:
        return _same(_merchant(connection, known), who)
    number, (scheme, *others) = repository.count(connection) + 1, schemes
    lookup_key, further = scheme.lookup_key(number, who.proxy), tuple(each.lookup_key(number, "") for each in others)
    if taken := repository.find_all_by_lookup_key(connection, (lookup_key, *further)):
        raise Conflict(f"{taken[0].lookup_key} belongs to another merchant")
    account = f"merchant:{who.id}"
    party = Party(who.name, "organization", country, account=account)
    accounts.open_account(connection, account, "merchant", who.owner, unit, party)
    values = {"owner": who.owner, "name": who.name, "city": who.city, "category": who.category, "account": account}
    merchant = Merchant(who.id, **values, lookup_key=lookup_key, further_keys=further)
    repository.add(connection, id=who.id, **values, lookup_key=lookup_key)
    repository.add_keys(connection, who.id, further)
    return merchant


def find_own(connection: Connection, merchant: str, owner: str) -> Merchant:
    """The merchant, if `owner` owns it. Raises UnknownMerchant: nobody learns whether another owner's is there."""
    row = repository.find(connection, merchant)
    if row is None or row.owner != owner:
        raise UnknownMerchant(f"there is no merchant {merchant[:60]} of yours")
    return _merchant(connection, row)


def payees(connection: Connection, lookup_keys: Collection[str]) -> dict[str, accounts.Account]:
    """The accounts of the merchants that codes name, by lookup key; unknown ones are left out."""
    rows = repository.find_all_by_lookup_key(connection, lookup_keys)
    held = accounts.find_all(connection, {row.account for row in rows})
    return {row.lookup_key: held[row.account] for row in rows}


def _same(known: Merchant, who: Registration) -> Merchant:
    if (known.owner, known.name, known.city, known.category) != (who.owner, who.name, who.city, who.category):
        raise Conflict(f"the merchant {who.id} exists and differs; choose another identifier")
    if who.proxy and not known.lookup_key.endswith(f":{who.proxy}"):
        raise Malformed("the merchant exists with another proxy")
    return known


def _merchant(connection: Connection, row: Row[Any]) -> Merchant:
    further = tuple(repository.further_keys(connection, row.id))
    return Merchant(row.id, row.owner, row.name, row.city, row.category, row.account, row.lookup_key, further)
