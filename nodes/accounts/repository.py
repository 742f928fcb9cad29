"""SQL of the book."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, func, insert, select, update

from nodes.accounts.tables import accounts, entries, postings


def find(connection: Connection, account: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(accounts).where(accounts.c.id == account)).one_or_none()


def owned_by(connection: Connection, owner: str) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(select(accounts).where(accounts.c.owner == owner).order_by(accounts.c.id)).all()


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(accounts).values(balance=0, earmarked=0, **values))


def change_earmark(connection: Connection, account: str, amount: int) -> bool:
    """Add `amount` to the earmark if the balance covers it; False when it does not."""
    c = accounts.c
    covered = c.earmarked + amount <= c.balance
    statement = update(accounts).where(c.id == account, covered).values(earmarked=c.earmarked + amount)
    return connection.execute(statement).rowcount == 1


def entry_exists(connection: Connection, key: str) -> bool:
    return connection.execute(select(entries.c.id).where(entries.c.key == key)).one_or_none() is not None


def add_entry(
    connection: Connection, key: str, description: str, chain_time: int, lines: Sequence[tuple[str, int]]
) -> None:
    statement = insert(entries).values(key=key, description=description, chain_time=chain_time)
    [entry] = connection.execute(statement).inserted_primary_key or (0,)
    rows = [
        {"entry": entry, "line": number, "account": account, "amount": amount}
        for number, (account, amount) in enumerate(lines)
    ]
    connection.execute(insert(postings), rows)
    for account, amount in lines:
        c = accounts.c
        connection.execute(update(accounts).where(c.id == account).values(balance=c.balance + amount))


def balances(connection: Connection) -> list[tuple[str, str, int]]:
    """Per currency and kind of account: the sum of balances."""
    c = accounts.c
    statement = select(c.currency, c.kind, func.sum(c.balance)).group_by(c.currency, c.kind)
    return [(unit, kind, int(total)) for unit, kind, total in connection.execute(statement)]


def posted(connection: Connection) -> list[tuple[str, str, int]]:
    """Per currency and account: the sum of postings, to hold against the balances."""
    statement = (
        select(accounts.c.currency, accounts.c.id, func.coalesce(func.sum(postings.c.amount), 0))
        .join_from(accounts, postings, postings.c.account == accounts.c.id, isouter=True)
        .group_by(accounts.c.currency, accounts.c.id)
    )
    return [(unit, account, int(total)) for unit, account, total in connection.execute(statement)]
