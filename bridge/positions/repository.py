"""The provider's double-entry book and its stock on chain, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from bridge.positions.accounts import Account
from bridge.positions.book import Posting
from bridge.tables import postings, stock


def book(connection: Connection, entries: Sequence[Posting]) -> None:
    """Record postings; a reference is booked once for ever."""
    if entries:
        connection.execute(insert(postings), [entry._asdict() for entry in entries])


def balances(connection: Connection) -> dict[int, dict[Account, int]]:
    """The balance of every account, by currency."""
    c, found = postings.c, dict[int, dict[Account, int]]()
    summed = select(c.currency, c.account, func.sum(c.amount).label("total")).group_by(c.currency, c.account)
    for row in connection.execute(summed):
        found.setdefault(row.currency, dict.fromkeys(Account, 0))[Account(row.account)] = int(row.total)
    return found


def stocked(connection: Connection) -> dict[int, int]:
    """The stock on chain by currency, as of the newest final block that was acted on."""
    return {row.currency: row.on_chain for row in connection.execute(select(stock))}


def restock(connection: Connection, on_chain: Mapping[int, int]) -> None:
    """Replace the stock of these currencies."""
    if on_chain:
        connection.execute(delete(stock).where(stock.c.currency.in_(on_chain)))
        rows = [{"currency": code, "on_chain": amount} for code, amount in on_chain.items()]
        connection.execute(insert(stock), rows)
