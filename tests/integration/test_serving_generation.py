"""A database knows whether it is older than what was acknowledged: only a restored backup is."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pysqlite3 as sqlite3
import pytest
from sqlalchemy import Connection, text

from contracts.terms.errors import Refused
from serving.database import Database

pytestmark = pytest.mark.sqlite

WRITER = """
import sys
from pathlib import Path
from sqlalchemy import text
from serving.database import Database

database = Database(Path(sys.argv[1]))
database.write(lambda connection: connection.execute(text("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)")))
while True:
    database.write(lambda connection: connection.execute(text("INSERT INTO numbers VALUES (1)")))
    print("written", flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "books.sqlite"
    with closing(Database(file)) as database:
        database.write(lambda c: c.execute(text("CREATE TABLE numbers (number INTEGER)")) and None)
    return file


@pytest.fixture
def backup(file: Path, tmp_path: Path) -> Path:
    """A copy made while the service runs, which then goes on writing."""
    with closing(Database(file)) as database:
        add(database)
        copy = tmp_path / "copy.sqlite"
        with closing(sqlite3.connect(str(file))) as source, closing(sqlite3.connect(str(copy))) as target:
            source.backup(target)
        add(database)
    return copy


def add(database: Database) -> None:
    database.write(lambda connection: connection.execute(text("INSERT INTO numbers VALUES (1)")) and None)


def side(file: Path) -> Path:
    return file.with_name(file.name + ".generation")


def restore(backup: Path, file: Path) -> None:
    """In place: the same inode, other bytes."""
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.write_bytes(backup.read_bytes())


def is_restored(file: Path) -> bool:
    with closing(Database(file)) as database:
        return database.restored


def set_generation(file: Path, generation: int) -> None:
    with closing(sqlite3.connect(str(file))) as connection:
        connection.execute(f"PRAGMA user_version = {generation}")


def test_a_new_database_and_every_restart_are_whole(file: Path) -> None:
    for _ in range(2):
        with closing(Database(file)) as database:
            assert not database.restored
            add(database)


def test_an_older_copy_is_told_in_place_and_as_another_file(backup: Path, file: Path) -> None:
    assert not is_restored(file)
    restore(backup, file)
    assert is_restored(file)


def test_an_older_copy_as_a_new_file_is_told(backup: Path, file: Path) -> None:
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    backup.rename(file)
    assert is_restored(file)


def test_it_stays_told_until_somebody_trusts_it(backup: Path, file: Path) -> None:
    restore(backup, file)
    with closing(Database(file)) as database:
        assert database.restored
        for _ in range(5):  # by now the database is ahead of the file's old number
            add(database)
    with closing(Database(file)) as database:
        assert database.restored
        database.trust()
        assert not database.restored
    assert not is_restored(file)


def test_a_second_backup_restored_is_told_again(backup: Path, file: Path) -> None:
    restore(backup, file)
    with closing(Database(file)) as database:
        database.trust()
        add(database)
    restore(backup, file)
    assert is_restored(file)


@pytest.mark.parametrize("lost", ["missing", "empty", "torn"])
def test_without_its_number_only_a_new_database_is_whole(file: Path, tmp_path: Path, lost: str) -> None:
    if lost == "missing":
        side(file).unlink()
    else:
        side(file).write_bytes(b"" if lost == "empty" else b"\0" * 7)
    assert is_restored(file)
    assert not is_restored(tmp_path / "other.sqlite")


def test_a_kill_between_commit_and_number_loses_nothing(file: Path) -> None:
    before = side(file).read_bytes()
    with closing(Database(file)) as database:
        add(database)
    assert side(file).read_bytes() != before
    side(file).write_bytes(before)
    assert not is_restored(file)


def test_numbers_go_round_at_32_bits(file: Path) -> None:
    set_generation(file, -1)  # SQLite keeps the number signed
    side(file).write_bytes(struct.pack(">II", 2**32 - 1, 0))
    with closing(Database(file)) as database:
        assert not database.restored
        add(database)
    assert side(file).read_bytes() == struct.pack(">II", 0, 0)
    assert not is_restored(file)
    set_generation(file, -1)
    assert is_restored(file)


def test_the_half_of_32_bits_is_passed(file: Path) -> None:
    set_generation(file, 2**31 - 1)
    side(file).write_bytes(struct.pack(">II", 2**31 - 1, 0))
    with closing(Database(file)) as database:
        add(database)
    assert side(file).read_bytes() == struct.pack(">II", 2**31, 0)
    assert not is_restored(file)


def test_work_that_is_refused_leaves_database_and_number_in_step(file: Path) -> None:
    def refuse(_: Connection) -> None:
        raise Refused("no")

    with closing(Database(file)) as database, pytest.raises(Refused):
        database.write(refuse)
    assert not is_restored(file)


def test_migrations_count_too(file: Path, backup: Path) -> None:
    before = side(file).read_bytes()
    with closing(Database(file)) as database:
        database.migrate(lambda c: c.execute(text("CREATE TABLE more (number INTEGER)")) and None)
    assert side(file).read_bytes() > before


@pytest.mark.parametrize("enough", [1, 7, 60])
def test_kill_9_never_looks_like_a_backup(tmp_path: Path, enough: int) -> None:
    file = tmp_path / "killed.sqlite"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            for _ in range(enough):
                assert process.stdout.readline() == "written\n"
            process.send_signal(signal.SIGKILL)
        assert not is_restored(file)
