"""One balance, many who spend it at once: threads, and processes where the database lets several write.

Each reads, decides and writes, with no guard in the SQL: what is exact here is exact for every rule of the services.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError

from serving.database import Database, DatabaseInUse
from tests.databases import ON_POSTGRESQL, opened

ROOT = Path(__file__).parents[2]
METADATA = MetaData()
BALANCES = Table("balances", METADATA, Column("account", BigInteger, primary_key=True), Column("minor", BigInteger))
NAMES = Table("names", METADATA, Column("name", Text, primary_key=True), Column("owner", BigInteger))
AMOUNT, TOGETHER, TIMES = 7, 16, 12

PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from serving.database import DatabaseInUse
from tests.databases import opened
from tests.integration.test_serving_spending import TIMES, claim, spend

number = int(sys.argv[2])
try:
    database = opened(Path(sys.argv[1]))
except DatabaseInUse:
    print("in use", flush=True)
    sys.exit(0)
print("open", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as threads:
    spent = sum(threads.map(lambda _: database.write(spend), range(4 * TIMES)))
    names = sum(threads.map(lambda name: database.write(claim(str(name), number)), range(40)))
print(spent, names)
sys.stdin.readline()
database.close()
"""


def spend(connection: Connection) -> bool:
    left = connection.execute(select(BALANCES.c.minor).where(BALANCES.c.account == 1)).scalar_one()
    if left < AMOUNT:
        return False
    connection.execute(update(BALANCES).where(BALANCES.c.account == 1).values(minor=left - AMOUNT))
    return True


def claim(name: str, owner: int):  # type: ignore[no-untyped-def]
    """Work that takes a name for ever, unless somebody has it; it never hopes for the unique key."""

    def work(connection: Connection) -> bool:
        taken = connection.execute(select(NAMES.c.owner).where(NAMES.c.name == name)).scalar()
        if taken is None:
            connection.execute(insert(NAMES).values(name=name, owner=owner))
        return taken is None

    return work


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = opened(tmp_path / "books.sqlite")
    database.migrate(METADATA.create_all)
    database.write(lambda c: c.execute(insert(BALANCES).values(account=1, minor=1_000)) and None)
    yield database
    database.close()


def left(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(BALANCES.c.minor)).scalar_one())


def test_sixteen_threads_that_read_first_spend_one_balance_exactly(database: Database) -> None:
    together = threading.Barrier(TOGETHER)

    def run(_: int) -> int:
        together.wait()
        return sum(database.write(spend) for _ in range(TIMES))

    with ThreadPoolExecutor(TOGETHER) as threads:
        spent = sum(threads.map(run, range(TOGETHER)))
    assert (spent, left(database)) == (142, 1_000 - 142 * AMOUNT)


def test_four_processes_spend_one_balance_exactly_and_each_name_is_one_owners(
    database: Database, tmp_path: Path
) -> None:
    database.close()
    path = tmp_path / "books.sqlite"
    command = [sys.executable, "-c", PROCESS, str(path)]
    started = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for n in range(4)
    ]
    said = [told(each) for each in started]
    writers = [each for each, word in zip(started, said, strict=True) if word == "open"]
    assert len(writers) == (4 if ON_POSTGRESQL else 1), said
    for each in writers:
        tell(each)
    outcomes = [[int(number) for number in told(each).split()] for each in writers]
    for each in writers:
        tell(each)
    assert [each.wait() for each in started] == [0] * 4
    again = opened(path)
    spent, names = (sum(column) for column in zip(*outcomes, strict=True))
    with again.read() as connection:
        assert len(connection.execute(select(NAMES)).all()) == names == 40
    assert left(again) == 1_000 - spent * AMOUNT
    assert spent == min(142, 4 * TIMES * len(writers))
    assert not again.restored
    again.close()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.postgresql
def test_two_doors_of_one_process_are_two_writers(database: Database, tmp_path: Path) -> None:
    other = opened(tmp_path / "books.sqlite")
    with ThreadPoolExecutor(TOGETHER) as threads:
        doors = [database, other] * 8
        outcomes = list(threads.map(lambda each: [each.write(spend) for _ in range(TIMES)], doors))
    other.close()
    assert (sum(map(sum, outcomes)), left(database)) == (142, 1_000 - 142 * AMOUNT)


@pytest.mark.sqlite
def test_a_second_door_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseInUse):
        Database(tmp_path / "books.sqlite")


@pytest.mark.postgresql
def test_a_unique_key_that_a_neighbour_took_is_found_taken(database: Database, tmp_path: Path) -> None:
    """Both have read that the name is free; one inserts. The other is run again and reads that it is not."""
    other = opened(tmp_path / "books.sqlite")
    read = threading.Barrier(2)
    runs: list[int] = []

    def slow(owner: int):  # type: ignore[no-untyped-def]
        def work(connection: Connection) -> bool:
            runs.append(owner)
            taken = connection.execute(select(NAMES.c.owner).where(NAMES.c.name == "tea")).scalar()
            if len(runs) <= 2:
                read.wait()
            if taken is None:
                connection.execute(insert(NAMES).values(name="tea", owner=owner))
            return taken is None

        return work

    outcomes = [each.submit(slow(number)) for number, each in enumerate((database, other))]
    assert sorted(future.result() for future in outcomes) == [False, True]
    assert len(runs) == 3
    other.close()


def test_a_key_that_was_there_before_is_refused_as_ever(database: Database) -> None:
    def blind(connection: Connection) -> None:
        connection.execute(insert(NAMES).values(name="tea", owner=1))

    database.write(blind)
    with pytest.raises(IntegrityError):
        database.write(blind)
