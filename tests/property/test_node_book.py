"""The book of a node: whatever happens, every entry balances and no customer is overdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from contracts.terms.errors import Conflict, InsufficientFunds, UnknownAccount
from contracts.terms.money import currency
from contracts.terms.parties import Party
from nodes.accounts import service
from nodes.app import MIGRATIONS
from serving.database import Database
from tests import databases

THB = currency("THB")
MALEE = Party("Malee Srisai", "person", "TH", account="malee")


@pytest.fixture
def database() -> Iterator[Database]:
    with new_book() as database:
        yield database


@contextmanager
def new_book() -> Iterator[Database]:
    with databases.migrated(MIGRATIONS) as database:

        def work(connection: Connection) -> None:
            service.open_own_accounts(connection, THB, Party("Bank", "organization"))
            service.open_account(connection, "malee", "customer", "malee", THB, MALEE)

        database.write(work)
        yield database


def balance(database: Database) -> service.Account:
    with database.read() as connection:
        return service.find(connection, "malee")


def sums(database: Database) -> service.BookSum:
    with database.read() as connection:
        [book] = service.book_sums(connection)
        return book


steps = st.lists(
    st.tuples(st.sampled_from(["issue", "deposit", "earmark", "release", "pay"]), st.integers(1, 500)), max_size=25
)


@settings(max_examples=40)
@given(steps=steps)
def test_the_book_balances_after_every_step(steps: list[tuple[str, int]]) -> None:
    with new_book() as database:
        earmarks: list[int] = []
        for number, (step, amount) in enumerate(steps):
            take(database, step, amount, number, earmarks)
            account, book = balance(database), sums(database)
            assert book.balanced
            assert account.earmarked == sum(earmarks)
            assert 0 <= account.available <= account.balance == book.customers


def take(database: Database, step: str, amount: int, number: int, earmarks: list[int]) -> None:
    def work(connection: Connection) -> None:
        if step == "issue":
            lines = [("settlement:THB", -amount), ("capital:THB", amount)]
            service.post(connection, f"ledger:{number}", "issued", number, lines)
        elif step == "deposit":
            service.deposit(connection, f"{number}", "malee", amount, number)
        elif step == "earmark":
            service.earmark(connection, "malee", amount)
        elif earmarks:
            service.release(connection, "malee", earmarks[-1])
            if step == "pay":
                service.post(
                    connection,
                    f"pay:{number}",
                    "paid",
                    number,
                    [("malee", -earmarks[-1]), ("settlement:THB", earmarks[-1])],
                )

    try:
        database.write(work)
    except InsufficientFunds:
        return
    if step == "earmark":
        earmarks.append(amount)
    elif step in ("release", "pay") and earmarks:
        earmarks.pop()


def test_sixteen_threads_spend_one_balance_exactly_once(database: Database) -> None:
    database.write(lambda connection: service.deposit(connection, "one", "malee", 1_000, 1))

    def spend(_: int) -> bool:
        try:
            database.write(lambda connection: service.earmark(connection, "malee", 30))
        except InsufficientFunds:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        spent = sum(threads.map(spend, range(64)))
    assert spent == 1_000 // 30
    assert balance(database).available == 1_000 - 30 * spent


def test_an_entry_is_booked_once_per_key(database: Database) -> None:
    for _ in range(3):
        database.write(lambda connection: service.deposit(connection, "same", "malee", 70, 1))
    assert balance(database).balance == 70


def test_opening_again_changes_nothing_and_another_form_is_refused(database: Database) -> None:
    database.write(lambda connection: service.open_account(connection, "malee", "customer", "malee", THB, MALEE))
    with pytest.raises(Conflict):
        database.write(lambda connection: service.open_account(connection, "malee", "customer", "eve", THB, MALEE))


def test_an_account_is_its_owners_alone(database: Database) -> None:
    with database.read() as connection:
        assert service.find_own(connection, "malee", "malee").id == "malee"
        with pytest.raises(UnknownAccount):
            service.find_own(connection, "malee", "eve")
        with pytest.raises(UnknownAccount):
            service.find_own(connection, "nobody", "eve")
