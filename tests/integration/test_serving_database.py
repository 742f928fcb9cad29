"""The database door: what was answered is durable, each piece of work stands or falls alone, no race makes money."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from contracts.terms.errors import IdempotencyKeyReused, InsufficientFunds, Malformed, Unavailable
from serving.database import Database
from serving.idempotency import IdempotencyKeys, idempotency_table
from tests import databases

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("number", BigInteger, primary_key=True))
BALANCES = Table("balances", METADATA, Column("account", BigInteger, primary_key=True), Column("minor", BigInteger))
KEYS_TABLE = idempotency_table(METADATA)

WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlalchemy import text
from tests.databases import opened

database = opened(Path(sys.argv[1]))
database.write(lambda connection: connection.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")))

def run(worker):
    for number in range(worker, 10**9, 8):
        database.write(lambda connection: connection.execute(text(f"INSERT INTO numbers VALUES ({number})")))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

with ThreadPoolExecutor(8) as pool:
    list(pool.map(run, range(8)))
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = databases.opened(tmp_path / "deep" / "books.sqlite")
    opened.migrate(METADATA.create_all)
    yield opened
    opened.close()


def numbers(database: Database) -> set[int]:
    with database.read() as connection:
        return set(connection.execute(select(NUMBERS.c.number)).scalars())


def add(number: int) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.execute(insert(NUMBERS).values(number=number))
        return number

    return work


def blocking(first: threading.Event, go: threading.Event) -> Callable[[Connection], None]:
    """Work that says when it has begun and goes on when it may: what is queued meanwhile is one group."""

    def work(_: Connection) -> None:
        first.set()
        go.wait()

    return work


@pytest.mark.parametrize("enough", [1, 40, 150])
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, enough: int) -> None:
    file = tmp_path / "books.sqlite"
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(enough)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.readlines()
    opened = databases.opened(file)
    found = numbers(opened)
    whole = {int(line) for line in acknowledged if line.endswith("\n")}
    assert len(whole) >= enough
    assert whole <= found
    if not databases.ON_POSTGRESQL:
        with opened.read() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    opened.close()


@pytest.mark.sqlite
def test_commits_are_synced_and_the_log_is_ahead(database: Database) -> None:
    """What a kill cannot show and a power cut would: each commit is fsynced (2 = FULL)."""

    def read(connection: Connection) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return tuple(connection.execute(text(f"PRAGMA {name}")).scalar() for name in names)

    assert database.write(read) == ("wal", 2, 1)


def test_work_that_fails_is_undone_alone(database: Database) -> None:
    """Work that queued behind a slow one is committed together; one piece's failure is its own."""
    first, go = threading.Event(), threading.Event()

    def spoiled(connection: Connection) -> None:
        connection.execute(insert(NUMBERS).values(number=666))
        raise InsufficientFunds("too little")

    waiting = database.submit(blocking(first, go))
    first.wait()
    good = [database.submit(add(number)) for number in (1, 2)]
    bad = [database.submit(spoiled), database.submit(add(1))]
    good.append(database.submit(add(3)))
    go.set()
    assert [future.result() for future in good] == [1, 2, 3]
    assert isinstance(bad[0].exception(), InsufficientFunds)
    assert isinstance(bad[1].exception(), IntegrityError)
    assert waiting.result() is None
    assert numbers(database) == {1, 2, 3}


def test_work_that_fails_with_nobody_beside_it_leaves_nothing(database: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute(insert(NUMBERS).values(number=1))
        raise InsufficientFunds("written, then refused")

    for _ in range(2):  # the second finds the connection as the first did
        with pytest.raises(InsufficientFunds, match="then refused"):
            database.write(work)
    assert numbers(database) == set()
    database.write(lambda connection: connection.execute(insert(NUMBERS).values(number=2)) and None)
    assert numbers(database) == {2}


def test_a_commit_that_fails_is_told_to_everybody(database: Database) -> None:
    """A deferred foreign key fails at the commit, after each piece of work had returned."""
    database.write(lambda c: c.execute(text("CREATE TABLE p (id INTEGER PRIMARY KEY)")) and None)
    child = "CREATE TABLE c (id INTEGER REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)"
    database.write(lambda c: c.execute(text(child)) and None)
    first, go = threading.Event(), threading.Event()
    waiting = database.submit(blocking(first, go))
    first.wait()
    together = [
        database.submit(add(5)),
        database.submit(lambda c: c.execute(text("INSERT INTO c VALUES (9)")) and None),
    ]
    go.set()
    waiting.result()
    assert all(isinstance(future.exception(), IntegrityError) for future in together)
    assert numbers(database) == set()
    assert database.write(add(6)) == 6


def test_a_caller_that_stops_waiting_does_not_stop_the_writer(database: Database) -> None:
    first, go = threading.Event(), threading.Event()
    waiting = database.submit(blocking(first, go))
    first.wait()
    left = database.submit(add(1))
    assert left.cancel()
    assert not waiting.cancel(), "work that has begun has an outcome"
    go.set()
    with pytest.raises(CancelledError):
        left.result()
    assert database.write(add(2)) == 2
    assert numbers(database) == {2}


def test_readers_see_what_is_committed_and_write_nothing(database: Database) -> None:
    database.write(add(1))
    with database.read() as connection:
        assert connection.execute(select(NUMBERS.c.number)).scalars().all() == [1]
        database.write(add(2))
        assert connection.execute(select(NUMBERS.c.number)).scalars().all() == [1], "one reading, one state"
    with pytest.raises(DBAPIError, match=r"read-?only"), database.read() as connection:
        connection.execute(insert(NUMBERS).values(number=3))
    assert numbers(database) == {1, 2}


def test_what_is_queued_is_finished_and_nothing_waits_for_ever_after_the_close(tmp_path: Path) -> None:
    opened = databases.opened(tmp_path / "books.sqlite")
    opened.migrate(METADATA.create_all)
    queued = [opened.submit(add(number)) for number in range(1000)]
    opened.close()
    assert all(future.done() for future in queued)
    with pytest.raises(Unavailable):
        opened.write(add(2000))
    opened.close()
    again = databases.opened(tmp_path / "books.sqlite")
    assert numbers(again) == set(range(1000))
    again.close()


@pytest.mark.sqlite
def test_a_file_that_does_not_open_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "books.sqlite").mkdir()
    with pytest.raises(OperationalError):
        Database(tmp_path / "books.sqlite")


def test_work_may_not_wait_for_other_work(database: Database) -> None:
    with pytest.raises(AssertionError):
        database.write(lambda _: database.write(add(1)))


def test_sixteen_threads_cannot_spend_one_balance_twice(database: Database) -> None:
    database.write(lambda c: c.execute(insert(BALANCES).values(account=1, minor=1_000)) and None)
    together = threading.Barrier(16)

    def spend(connection: Connection) -> bool:
        guarded = update(BALANCES).where(BALANCES.c.account == 1, BALANCES.c.minor >= 7)
        return bool(connection.execute(guarded.values(minor=BALANCES.c.minor - 7)).rowcount)

    def run(_: int) -> int:
        together.wait()
        return sum(database.write(spend) for _ in range(12))

    with ThreadPoolExecutor(16) as pool:
        spent = sum(pool.map(run, range(16)))
    with database.read() as connection:
        left = connection.execute(select(BALANCES.c.minor)).scalar_one()
    assert (spent, left) == (142, 1_000 - 142 * 7)


# --- exactly once at the door ---------------------------------------------------------------------------------------


@pytest.fixture
def keys() -> IdempotencyKeys:
    return IdempotencyKeys(KEYS_TABLE, b"a secret of this service")


def once(
    database: Database, keys: IdempotencyKeys, body: bytes, key: str = "k", caller: str = "wallet"
) -> dict[str, str]:
    """Record the next number, once per key: the answer names it."""

    def act(connection: Connection) -> dict[str, str]:
        number = len(connection.execute(select(NUMBERS.c.number)).all())
        connection.execute(insert(NUMBERS).values(number=number))
        return {"number": str(number)}

    return keys.once(database, caller, key, body, act)


def test_many_requests_at_once_act_once_and_hear_the_same(database: Database, keys: IdempotencyKeys) -> None:
    together = threading.Barrier(32)

    def run(_: int) -> dict[str, str]:
        together.wait()
        return once(database, keys, b"pay 5")

    with ThreadPoolExecutor(32) as pool:
        futures = [pool.submit(run, number) for number in range(32)]
        wait(futures)
    assert [future.result() for future in futures] == [{"number": "0"}] * 32
    assert numbers(database) == {0}


def test_the_same_key_with_another_body_is_refused(database: Database, keys: IdempotencyKeys) -> None:
    once(database, keys, b"pay 5")
    with pytest.raises(IdempotencyKeyReused):
        once(database, keys, b"pay 6")
    assert once(database, keys, b"pay 5") == {"number": "0"}
    assert numbers(database) == {0}


def test_another_key_or_another_caller_is_another_request(database: Database, keys: IdempotencyKeys) -> None:
    answers = [once(database, keys, b"pay 5", key, caller) for key in ("k", "K") for caller in ("wallet", "shop")]
    assert [answer["number"] for answer in answers] == ["0", "1", "2", "3"]


def test_the_answer_outlives_the_process(tmp_path: Path, keys: IdempotencyKeys) -> None:
    for _ in range(2):
        opened = databases.opened(tmp_path / "books.sqlite")
        opened.migrate(METADATA.create_all)
        assert once(opened, keys, b"pay 5") == {"number": "0"}
        opened.close()


def test_what_failed_is_not_remembered_as_done(database: Database, keys: IdempotencyKeys) -> None:
    def failing(_: Connection) -> dict[str, str]:
        raise Unavailable("not now")

    with pytest.raises(Unavailable):
        keys.once(database, "wallet", "k", b"pay 5", failing)
    assert once(database, keys, b"pay 5") == {"number": "0"}


def test_a_refusal_is_an_answer_for_ever(database: Database, keys: IdempotencyKeys) -> None:
    """The money that was missing may come later; the same key must not pay then."""

    def refusing(connection: Connection) -> dict[str, str]:
        connection.execute(insert(NUMBERS).values(number=7))
        raise InsufficientFunds("the account has not enough money", left="3")

    for act in (refusing, lambda _: {"number": "paid after all"}):
        with pytest.raises(InsufficientFunds) as refused:
            keys.once(database, "wallet", "k", b"pay 5", act)
        assert refused.value.detail == "the account has not enough money"
        assert refused.value.fields == {"left": "3"}
        assert refused.value.iso_reason == "AM04"
    with database.read() as connection:
        assert connection.execute(select(NUMBERS)).all() == []


def test_no_body_is_kept(database: Database, keys: IdempotencyKeys) -> None:
    once(database, keys, b"pay Alice Liddell")
    with database.read() as connection:
        row = connection.execute(select(KEYS_TABLE)).one()
    assert b"Alice" not in row.body_hmac
    assert len(row.body_hmac) == 32
    other = IdempotencyKeys(KEYS_TABLE, b"a secret of another service")
    with pytest.raises(IdempotencyKeyReused):
        once(database, other, b"pay Alice Liddell")


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "ключ", "a\n", "\x7f"])
def test_a_key_that_is_none_is_refused(database: Database, keys: IdempotencyKeys, key: str) -> None:
    with pytest.raises(Malformed):
        once(database, keys, b"pay 5", key)
    assert numbers(database) == set()
