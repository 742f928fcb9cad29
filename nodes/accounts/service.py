"""The institution's double-entry book: customers' and merchants' money, its own, and what it owns on chain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection

from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Conflict, InsufficientFunds, UnknownAccount
from contracts.terms.money import Currency, currency
from contracts.terms.parties import Party
from nodes.accounts import repository
from nodes.accounts.repository import Entry
from serving.jsontext import dump, load

CAPITAL, FEES, SETTLEMENT = "capital", "fees", "settlement"
RECEIVABLES = "receivables"
NOT_ENOUGH = "the account has not enough money that is free; pay in or pay less"


@dataclass(frozen=True)
class Account:
    """One account. Amounts in minor units; `available` is what may still be earmarked."""

    id: str
    kind: str
    owner: str
    currency: Currency
    balance: int
    earmarked: int
    party: Party

    @property
    def available(self) -> int:
        return self.balance - self.earmarked


def own_account(name: str, unit: Currency) -> str:
    """The identifier of one of the institution's own accounts, such as "capital:THB"."""
    return f"{name}:{unit.alpha}"


def open_account(connection: Connection, account: str, kind: str, owner: str, unit: Currency, party: Party) -> None:
    """Open an account with no money. Opening it again as it is does nothing. Raises Conflict when it differs."""
    row = repository.find(connection, account)
    if row is None:
        text = dump(to_document(party))
        repository.add(connection, id=account, kind=kind, owner=owner, currency=unit.alpha, party=text)
    elif _account(row) != Account(account, kind, owner, unit, row.balance, row.earmarked, party):
        raise Conflict(f"the account {account} exists and differs; choose another identifier")


def open_own_accounts(connection: Connection, unit: Currency, institution: Party) -> None:
    """The institution's own accounts in a currency: capital, fee income, and the settlement balance on chain."""
    for name, kind in ((CAPITAL, "own"), (FEES, "own"), (SETTLEMENT, "settlement")):
        open_account(connection, own_account(name, unit), kind, "", unit, institution)


def find(connection: Connection, account: str) -> Account:
    """The account. Raises UnknownAccount."""
    row = repository.find(connection, account)
    if row is None:
        raise _unknown(account)
    return _account(row)


def find_all(connection: Connection, ids: Collection[str]) -> dict[str, Account]:
    """The accounts that there are, by identifier."""
    return {found.id: found for found in map(_account, repository.find_all(connection, ids))}


def find_own(connection: Connection, account: str, owner: str) -> Account:
    """The account, if `owner` owns it. Raises UnknownAccount: nobody learns whether another customer's is there."""
    return own(find_all(connection, [account]).get(account), account, owner)


def own(found: Account | None, account: str, owner: str) -> Account:
    """As `find_own`, of what was found under the identifier."""
    if found is None or found.owner != owner:
        raise _unknown(account)
    return found


def owned_by(connection: Connection, owner: str) -> list[Account]:
    """All accounts of an owner."""
    return [_account(row) for row in repository.owned_by(connection, owner)]


def _unknown(account: str) -> UnknownAccount:
    return UnknownAccount(f"there is no account {account[:60]} of yours")


def earmark(connection: Connection, account: str, amount: int) -> None:
    """Set money aside for a payment. Raises InsufficientFunds."""
    if not repository.change_earmarks(connection, {account: amount}):
        raise InsufficientFunds(NOT_ENOUGH)


def earmark_all(connection: Connection, amounts: Mapping[str, int]) -> None:
    """Set aside, by account, what the caller has found free in this transaction."""
    set_aside = repository.change_earmarks(connection, amounts)
    assert set_aside, "what was free in this transaction is free until its end"


def release(connection: Connection, account: str, amount: int) -> None:
    """Make earmarked money free again."""
    release_all(connection, {account: amount})


def release_all(connection: Connection, amounts: Mapping[str, int]) -> None:
    """Make earmarked money free again, by account."""
    released = repository.change_earmarks(connection, {account: -amount for account, amount in amounts.items()})
    assert released, "an earmark is released once"


def post(connection: Connection, key: str, description: str, chain_time: int, lines: Sequence[tuple[str, int]]) -> bool:
    """Book one journal entry, once per `key`. False when the entry was booked before."""
    return post_all(connection, chain_time, [Entry(key, description, lines)]) == 1


def post_all(connection: Connection, chain_time: int, new: Sequence[Entry]) -> int:
    """Book journal entries, each once per key; how many were not booked before."""
    assert all(sum(amount for _, amount in entry.lines) == 0 for entry in new), "an entry balances"
    known = repository.booked(connection, [entry.key for entry in new])
    fresh = [replace(entry, lines=[line for line in entry.lines if line[1]]) for entry in new if entry.key not in known]
    repository.add_entries(connection, fresh, chain_time)
    return len(fresh)


def deposit(connection: Connection, key: str, account: str, amount: int, chain_time: int) -> None:
    """A customer pays in: the institution's capital becomes the customer's money. Once per `key`."""
    found = find(connection, account)
    if found.kind != "customer":
        raise UnknownAccount("only customers pay in, to their own accounts")
    lines = [(own_account(CAPITAL, found.currency), -amount), (account, amount)]
    post(connection, f"deposit:{key}", "paid in", chain_time, lines)


@dataclass(frozen=True)
class BookSum:
    """One currency's book: what the institution owns on chain and what it owes, in minor units."""

    currency: Currency
    settlement: int
    customers: int
    merchants: int
    own: int

    @property
    def balanced(self) -> bool:
        return self.settlement == self.customers + self.merchants + self.own


def book_sums(connection: Connection) -> list[BookSum]:
    """The book per currency, after checking that every balance is the sum of its postings."""
    sums: dict[str, dict[str, int]] = {}
    for unit, kind, total in repository.balances(connection):
        sums.setdefault(unit, {})[kind] = total
    totals = {unit: sum(kinds.values()) for unit, kinds in sums.items()}
    posted: dict[str, int] = {}
    for unit, account, total in repository.posted(connection):
        assert total == find(connection, account).balance, f"{account}: the balance is not the sum of its postings"
        posted[unit] = posted.get(unit, 0) + total
    assert totals == posted, "the book is the sum of its postings"
    return [
        BookSum(
            currency(unit),
            -kinds.get("settlement", 0),
            kinds.get("customer", 0),
            kinds.get("merchant", 0),
            kinds.get("own", 0),
        )
        for unit, kinds in sorted(sums.items())
    ]


def _account(row: object) -> Account:
    values = row._mapping  # type: ignore[attr-defined]
    return Account(
        id=values["id"],
        kind=values["kind"],
        owner=values["owner"],
        currency=currency(values["currency"]),
        balance=values["balance"],
        earmarked=values["earmarked"],
        party=_party(values["party"]),
    )


@lru_cache(maxsize=4096)
def _party(text: str) -> Party:
    """The same customers and merchants again and again."""
    return from_document(Party, load(text))
