"""SQL of the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from nodes.accounts.tables import accounts, entries, postings
from serving.rows import insert_all


@dataclass(frozen=True)
class Entry:
    """A journal entry, once per `key`. Lines are (account, amount), credits positive, summing to zero."""

    key: str
    description: str
    lines: Sequence[tuple[str, int]]


def find(connection: Connection, account: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(_ONE, {"account": account}).one_or_none()


def find_all(connection: Connection, ids: Collection[str]) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(_ALL, {"ids": list(ids)}).all()


def owned_by(connection: Connection, owner: str) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(select(accounts).where(accounts.c.owner == owner).order_by(accounts.c.id)).all()


def add(connection: Connection, **values: object) -> None:
    connection.execute(insert(accounts).values(balance=0, earmarked=0, **values))


def change_earmarks(connection: Connection, changes: Mapping[str, int]) -> bool:
    """Add an amount to the earmark of each account whose balance covers it; False when one does not."""
    if not changes:
        return True
    rows = [{"changed": account, "amount": amount} for account, amount in sorted(changes.items())]
    return connection.execute(_EARMARK, rows).rowcount == len(rows)


def booked(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of `keys` under which an entry was booked."""
    return set(connection.execute(select(entries.c.key).where(entries.c.key.in_(list(keys)))).scalars())


def add_entries(connection: Connection, new: Sequence[Entry], chain_time: int) -> None:
    """Book entries whose keys are new, with their postings, and bring the balances along."""
    if not new:
        return
    rows = [{"key": entry.key, "description": entry.description, "chain_time": chain_time} for entry in new]
    insert_all(connection, entries, rows)
    c = entries.c
    numbered = connection.execute(select(c.key, c.id).where(c.key.in_([entry.key for entry in new])))
    ids = {row.key: row.id for row in numbered}
    lines = [
        {"entry": ids[entry.key], "line": number, "account": account, "amount": amount}
        for entry in new
        for number, (account, amount) in enumerate(entry.lines)
    ]
    insert_all(connection, postings, lines)
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line["account"]] += line["amount"]
    changed = [{"posted": account, "amount": amount} for account, amount in sorted(sums.items())]
    assert connection.execute(_POST, changed).rowcount == len(changed), "every posting has an account"


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


_a = accounts.c
_ONE = select(accounts).where(_a.id == bindparam("account"))
_ALL = select(accounts).where(_a.id.in_(bindparam("ids", expanding=True)))
_EARMARK = (
    update(accounts)
    .where(_a.id == bindparam("changed"), _a.earmarked + bindparam("amount") <= _a.balance)
    .values(earmarked=_a.earmarked + bindparam("amount"))
)
_POST = update(accounts).where(_a.id == bindparam("posted")).values(balance=_a.balance + bindparam("amount"))
