"""A node's bank on a disk: wallets pay and are settled by the node's own rules, and what they heard must be there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import Connection, insert, select, text

from contracts.terms.errors import FeiqianError, Unavailable
from contracts.terms.payment import Event, State
from nodes.accounts import service as accounts
from nodes.accounts.tables import entries
from nodes.app import MIGRATIONS
from nodes.context import NodeContext
from nodes.payments import end
from nodes.payments import repository as payments
from nodes.payments.accept import Order, accept, accept_all
from nodes.payments.tables import payments as payments_table
from nodes.quotes.tables import quotes
from serving import sqlite
from serving.database import Database
from serving.migrations import migrate
from tests import node_door
from tests.power.disk import Disk, Files, Told
from tests.power.driver import Driver

FILE = "node.db"
BESIDE = f"{FILE}.generation"
"""The file beside the database: never synced, so after a cut any of its contents may be there."""
WALLETS = 4
_RICH = 10**9
_WAY = (Event.CLEAR, Event.AGREE, Event.BATCH, Event.SIGN)
"""What moves a payment from its acceptance into a signed batch."""
_WHO = "malee"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Heard:
    """What a wallet was told of its payment: its UETR under this key, and the state in which it has ended, if it has;
    and what the file beside the database said then."""

    key: str
    uetr: str
    state: State | None
    generation: bytes


@contextmanager
def power(name: str, said: Callable[[str], str] = str) -> Iterator[Disk]:
    """A disk on which the services keep their SQLite databases while the block runs."""
    disk = Disk(name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite, "pysqlite3", Driver(name, said))
        yield disk
    disk.unregister()


def new(folder: Path) -> Cut:
    """A new bank in an empty folder."""
    with closing(Database(folder / FILE)) as database:
        migrate(database, MIGRATIONS)
        database.write(lambda connection: node_door.furnish(connection, _RICH))
    return Cut({each.name: each.read_bytes() for each in folder.iterdir()}, [])


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder with these files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def work(folder: Path, disk: Disk, life: int, each: int) -> None:
    """Open the bank; each of a few wallets makes `each` payments, one after the other; close it."""
    beside = folder / BESIDE

    def tell(key: str, uetr: str, state: State | None) -> None:
        disk.tell(Heard(key, uetr, state, beside.read_bytes()))

    with closing(Database(folder / FILE)) as database:
        node = node_door.node_over(database)

        def shop(wallet: int) -> None:
            for number in range(each):
                pay(node, f"{life}-{wallet}-{number}", number, tell)

        with ThreadPoolExecutor(WALLETS) as pool:
            list(pool.map(shop, range(WALLETS)))
        node.bell.close()


def pay(node: NodeContext, key: str, number: int, tell: Callable[[str, str, State | None], None]) -> None:
    """One payment under a key, from its price to its end: most settle, some expire or are cancelled.

    Whatever finds the database away is done again until it is answered.
    """
    _insist(lambda: node.database.write(lambda connection: _show_price(connection, key)))
    uetr = _insist(lambda: accept(node, _WHO, Order(key, key, 0)))["uetr"]
    tell(key, uetr, None)
    state = (State.CANCELLED, State.EXPIRED, *(State.SETTLED,) * 3)[number % 5]
    _insist(lambda: node.database.write(lambda connection: _end(connection, uetr, state)))
    tell(key, uetr, state)


def _insist(ask: Callable[[], Answer]) -> Answer:
    while True:
        try:
            return ask()
        except Unavailable:
            threading.Event().wait(0.05)


def _show_price(connection: Connection, key: str) -> None:
    if connection.execute(select(quotes.c.id).where(quotes.c.id == key)).one_or_none() is None:
        connection.execute(insert(quotes), [node_door.price(key, _WHO, 1_000, node_door.NOW + 60)])


def _end(connection: Connection, uetr: str, state: State) -> None:
    known = payments.find(connection, uetr)
    assert known is not None
    if known.state.final:  # it was done, and nobody heard
        return
    for event in _WAY if state is State.SETTLED else ():
        known = payments.find(connection, uetr)
        assert known is not None
        assert payments.move(connection, known, event)
    known = payments.find(connection, uetr)
    assert known is not None
    if state is State.SETTLED:
        end.settle(connection, [known], node_door.NOW)
    elif state is State.EXPIRED:
        end.expire(connection, [known])
    else:
        end.cancel(connection, known)


@dataclass
class Cut:
    """What is found after a cut: the files by name, and all that was heard before it."""

    files: dict[str, bytes]
    heard: list[Heard]


def cut_off(disk: Disk, begun: Cut, places: Sequence[int], chance: Random) -> Iterator[Cut]:
    """A cut at each of these places (sorted) of what the disk wrote down since it had the files of `begun`."""
    heard, done = list(begun.heard), 0
    files = Files({name: bytearray(content) for name, content in begun.files.items()})
    said = [bytes(files.safe.pop(BESIDE))]
    for place in places:
        for step in disk.steps[done:place]:
            files.take(step)
            if isinstance(step, Told) and isinstance(step.what, Heard):
                heard.append(step.what)
                said.append(step.what.generation)
        done = place
        yield Cut(files.cut(chance) | {BESIDE: chance.choice(said)}, list(heard))


def wrong_after(folder: Path, cut: Cut) -> str:
    """Start the bank again on what the disk has; what is not as it must be, "" when all is."""
    put(folder, cut.files)
    try:
        with closing(Database(folder / FILE)) as database:
            if database.restored:
                return "it takes itself for a restored backup"
            with database.read() as connection:
                corrupt = _corrupt(connection)
            return corrupt or wrong_with(database, cut.heard, 3)
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"


def wrong_with(database: Database, heard: Sequence[Heard], asked: int) -> str:
    """What is not as those were told who have `heard` of their payments, "" when all is; the last `asked` ask again."""
    with database.read() as connection:
        wrong = _lost(connection, heard) or _unbalanced(connection)
    return wrong or _changed(node_door.node_over(database), heard[-asked:])


def _corrupt(connection: Connection) -> str:
    found = [*connection.execute(text("PRAGMA integrity_check")), *connection.execute(text("PRAGMA foreign_key_check"))]
    return "" if [tuple(row) for row in found] == [("ok",)] else f"corrupt: {found[:3]}"


def _lost(connection: Connection, heard: Sequence[Heard]) -> str:
    """Each payment is where its wallet was told that it is, and stands in the book once if it settled."""
    known = dict(connection.execute(select(payments_table.c.uetr, payments_table.c.state)).all())
    booked = set(connection.execute(select(entries.c.key)).scalars())
    for each in heard:
        state = known.get(each.uetr)
        if state is None or (each.state is not None and state != each.state.value):
            return f"lost: {each.key} is {state}, not {each.state or 'accepted'}"
    settled = {uetr for uetr, state in known.items() if state == State.SETTLED.value}
    if settled != {key.removeprefix("payment:") for key in booked if key.startswith("payment:")}:
        return "the book is not that of the payments"
    return ""


def _unbalanced(connection: Connection) -> str:
    """The book balances, and what is set aside is what open payments need."""
    if not all(book.balanced for book in accounts.book_sums(connection)):
        return "the book does not balance"
    open_ones = payments.find_all(connection, _open_uetrs(connection))
    needed = sum(payment.earmark for payment in open_ones)
    earmarked = accounts.find(connection, _WHO).earmarked
    return "" if earmarked == needed else f"{earmarked} is set aside, not {needed}"


def _open_uetrs(connection: Connection) -> list[str]:
    final = [state.value for state in State if state.final]
    return list(connection.execute(select(payments_table.c.uetr).where(payments_table.c.state.not_in(final))).scalars())


def _changed(node: NodeContext, heard: Sequence[Heard]) -> str:
    """Asked again with the same keys, the bank, which goes on, gives the same answers."""
    answers = accept_all(node, _WHO, [Order(each.key, each.key, 0) for each in heard])
    for each, answer in zip(heard, answers, strict=True):
        if isinstance(answer, FeiqianError) or answer["uetr"] != each.uetr:
            return f"another answer: {each.key} is {answer}, not {each.uetr}"
    return ""
