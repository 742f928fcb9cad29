"""Merchants: registered by their acquirer, found by payers through the code they show."""

from __future__ import annotations

from collections.abc import Collection
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
    """One merchant. `lookup_key` is what its code says it is, such as "SG.PAYNOW:201403121W"."""

    id: str
    owner: str
    name: str
    city: str
    category: str
    account: str
    lookup_key: str


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
    connection: Connection, who: Registration, scheme: codes.MerchantScheme, unit: Currency, country: str
) -> Merchant:
    """Register a merchant and open its account. The same registration again changes nothing."""
    known = repository.find(connection, who.id)
    if known is not None:
        return _same(_merchant(known), who)
    lookup_key = scheme.lookup_key(repository.count(connection) + 1, who.proxy)
    if repository.find_by_lookup_key(connection, lookup_key) is not None:
        raise Conflict(f"{lookup_key} belongs to another merchant")
    account = f"merchant:{who.id}"
    party = Party(who.name, "organization", country, account=account)
    accounts.open_account(connection, account, "merchant", who.owner, unit, party)
    merchant = Merchant(who.id, who.owner, who.name, who.city, who.category, account, lookup_key)
    repository.add(connection, **vars(merchant))
    return merchant


def find_own(connection: Connection, merchant: str, owner: str) -> Merchant:
    """The merchant, if `owner` owns it. Raises UnknownMerchant: nobody learns whether another owner's is there."""
    row = repository.find(connection, merchant)
    if row is None or row.owner != owner:
        raise UnknownMerchant(f"there is no merchant {merchant[:60]} of yours")
    return _merchant(row)


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


def _merchant(row: Row[Any]) -> Merchant:
    return Merchant(row.id, row.owner, row.name, row.city, row.category, row.account, row.lookup_key)
