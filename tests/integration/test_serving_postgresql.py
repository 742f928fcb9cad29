"""The door on PostgreSQL: what was answered is stored, whatever happens to connection, server and backup."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, text

from contracts.terms.errors import Unavailable
from serving.database import Database, DatabaseReader
from serving.settings import ServiceSettings, load_settings
from tests.databases import looking, opened, place
from tests.postgresql import Server, running

pytestmark = pytest.mark.postgresql

WRITER = """
import sys
from pathlib import Path
from sqlalchemy import make_url, text
from contracts.terms.errors import Unavailable
from serving.database import Database

database = Database(make_url(sys.argv[1]), Path(sys.argv[2]))
number = int(sys.argv[3])
while True:
    number += 1
    try:
        database.write(lambda connection: connection.execute(text(f"INSERT INTO numbers VALUES ({number})")) and None)
    except Unavailable:
        continue
    print(number, flush=True)
"""


@pytest.fixture
def where(tmp_path: Path) -> URL:
    found = place(tmp_path / "books.db")
    assert isinstance(found, URL)
    with closing(opened(tmp_path / "books.db")) as database:
        database.write(lambda c: c.execute(text("CREATE TABLE numbers (number bigint PRIMARY KEY)")) and None)
    return found


def add(number: int) -> Callable[[Connection], None]:
    return lambda connection: connection.execute(text(f"INSERT INTO numbers VALUES ({number})")) and None  # type: ignore[func-returns-value]


def numbers(where: URL) -> list[int]:
    with looking(where) as connection:
        return sorted(connection.exec_driver_sql("SELECT number FROM numbers").scalars())


# --- restored backups -------------------------------------------------------------------------------------------------


def copied(source: URL, target: URL) -> None:
    with looking(source.set(database="postgres")) as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{target.database}"')
        connection.exec_driver_sql(f'CREATE DATABASE "{target.database}" TEMPLATE "{source.database}"')


def test_a_new_database_every_restart_and_a_second_writer_are_whole(where: URL, tmp_path: Path) -> None:
    for number in range(3):
        with closing(Database(where, tmp_path)) as first, closing(Database(where, tmp_path)) as second:
            assert not first.restored
            assert not second.restored
            first.write(add(2 * number))
            second.write(add(2 * number + 1))
    assert numbers(where) == list(range(6))


@pytest.mark.parametrize("writers", [1, 2])
def test_an_older_copy_is_told_by_every_writer_until_it_is_trusted(where: URL, tmp_path: Path, writers: int) -> None:
    backup = where.set(database=f"{where.database}-backup")
    copied(where, backup)
    doors = [Database(where, tmp_path) for _ in range(writers)]
    doors[-1].write(add(1))
    for door in doors:
        door.close()
    copied(backup, where)
    for _ in range(2):
        with closing(Database(where, tmp_path)) as first, closing(Database(where, tmp_path)) as second:
            assert first.restored
            assert second.restored
            first.write(add(len(numbers(where)) + 10))
    with closing(Database(where, tmp_path)) as database:
        database.trust()
        assert not database.restored
    for _ in range(2):
        with closing(Database(where, tmp_path)) as first, closing(Database(where, tmp_path)) as second:
            assert not first.restored
            assert not second.restored


def test_without_what_was_acknowledged_only_a_new_database_is_whole(where: URL, tmp_path: Path) -> None:
    for path in tmp_path.glob("*.generation-*"):
        path.unlink()
    with closing(Database(where, tmp_path)) as database:
        assert database.restored


def test_a_dump_without_the_doors_own_tables_is_told(where: URL, tmp_path: Path) -> None:
    with looking(where) as connection:
        connection.exec_driver_sql("DROP SCHEMA door CASCADE")
    for folder in (tmp_path, tmp_path / "new"):
        with closing(Database(where, folder)) as database:
            assert database.restored


# --- lost connections -------------------------------------------------------------------------------------------------


class Cutter:
    """Stands before the server and cuts a connection at its COMMIT: before the server has it, or before the answer."""

    def __init__(self, folder: Path, server: str, after: bool) -> None:
        self._server, self._after, self.armed, self.cuts = server, after, False, 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{self._server}/.s.PGSQL.5432")
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                cut = asks and self.armed and b"COMMIT" in data
                if cut:
                    self.armed, self.cuts = False, self.cuts + 1
                    source.shutdown(socket.SHUT_RDWR)
                    if not self._after:
                        break
                target.sendall(data)
                if cut:
                    threading.Event().wait(0.2)  # the server acts on what it has got, then finds nobody to tell
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "before its answer"])
def test_a_connection_that_is_cut_at_the_commit_neither_loses_nor_doubles(
    where: URL, tmp_path: Path, after: bool
) -> None:
    with looking(where) as connection:
        connection.exec_driver_sql("ALTER TABLE numbers DROP CONSTRAINT numbers_pkey")
    folder = tmp_path / "s"
    folder.mkdir()
    with closing(Cutter(folder, str(where.query["host"]), after)) as cutter:
        with closing(Database(where.set(query={"host": str(folder)}), tmp_path)) as database:
            for number in range(5):
                cutter.armed = True
                database.write(add(number))
            assert cutter.cuts == 5
            assert not database.restored
        assert numbers(where) == list(range(5))
        with closing(Database(where, tmp_path)) as database:
            assert not database.restored


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(server: Server, tmp_path: Path) -> None:
    """Twenty times, under load; the service goes on by itself, and takes it for no restored backup."""
    with closing(Database(url_of(server), tmp_path)) as database:
        database.write(lambda c: c.execute(text("CREATE TABLE numbers (number bigint)")) and None)
    command = [sys.executable, "-c", WRITER, f"postgresql:///postgres?host={server.folder}&user=feiqian", str(tmp_path)]
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        answered = [int(process.stdout.readline())]
        for _ in range(20):
            server.kill()
            server.start()
            answered += [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        answered += [int(line) for line in process.stdout.readlines() if line.endswith("\n")]
    with looking_at(server) as connection:
        stored = list(connection.exec_driver_sql("SELECT number FROM numbers").scalars())
    assert set(answered) <= set(stored)
    assert len(stored) == len(set(stored))
    with closing(Database(url_of(server), tmp_path)) as database:
        assert not database.restored


def url_of(server: Server, **changes: str) -> URL:
    return URL.create("postgresql", "feiqian", database="postgres", query={"host": str(server.folder)}).set(**changes)  # type: ignore[arg-type]


def looking_at(server: Server):  # type: ignore[no-untyped-def]
    return looking(url_of(server))


def test_a_server_that_is_away_is_said_and_comes_back(server: Server, tmp_path: Path) -> None:
    with closing(Database(url_of(server), tmp_path)) as database:
        server.kill()
        with pytest.raises(Unavailable, match="does not answer"):
            database.write(lambda connection: connection.execute(text("SELECT 1")) and None)
        with pytest.raises(Unavailable, match="does not answer"), database.read() as connection:
            connection.execute(text("SELECT 1"))
        with pytest.raises(Unavailable, match="does not answer"):
            Database(url_of(server), tmp_path)
        server.start()
        assert database.write(lambda connection: connection.execute(text("SELECT 7")).scalar_one()) == 7


# --- what is no place for money ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["synchronous_commit = off", "synchronous_commit = remote_write"])
def test_a_database_that_may_lose_commits_is_refused(where: URL, tmp_path: Path, setting: str) -> None:
    with looking(where) as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{where.database}" SET {setting}')
    with pytest.raises(Unavailable, match="synchronous_commit"):
        Database(where, tmp_path)


def test_a_database_that_cannot_hold_every_name_is_refused(where: URL, tmp_path: Path) -> None:
    latin = where.set(database=f"{where.database}-latin")
    with looking(where) as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE \"{latin.database}\" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
        )
    with pytest.raises(Unavailable, match="server_encoding"):
        Database(latin, tmp_path)


def test_a_password_comes_from_its_file_and_is_never_shown(where: URL, tmp_path: Path) -> None:
    with looking(where) as connection:
        user = f"u{os.getpid()}"
        connection.exec_driver_sql("DO $$ BEGIN CREATE ROLE locked; EXCEPTION WHEN duplicate_object THEN END $$")
        connection.exec_driver_sql(f"CREATE USER {user} PASSWORD 'right horse' IN ROLE locked")
    host = where.query["host"]
    (tmp_path / "right").write_text("right horse\n")
    (tmp_path / "wrong").write_text("wrong horse\n")
    for name, good in (("right", True), ("wrong", False)):
        settings = settings_of(tmp_path, f"postgresql://{user}@/{where.database}?host={host}", name)
        assert "horse" not in repr(settings) + str(settings) + repr(settings.place()) + settings.model_dump_json()
        reader = DatabaseReader(settings.place())
        if good:
            with reader.read() as connection:
                assert connection.execute(text("SELECT current_user")).scalar() == user
        else:
            with pytest.raises(Unavailable) as refused:
                Database(settings.place(), settings.state())
            assert "horse" not in str(refused.value)
            assert "password authentication failed" in str(refused.value)
        reader.close()


def settings_of(folder: Path, database: str, password: str) -> ServiceSettings:
    file = folder / "service.toml"
    said = {
        "name": "n",
        "account": "0x" + "1" * 40,
        "endpoint": "http://a",
        "database": database,
        "chain_url": "http://b",
    }
    said |= dict.fromkeys(("network", "message_key", "token_key", "password_file"), "-")
    said |= {"database_password_file": str(folder / password)}
    file.write_text("port = 1\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items()))
    return load_settings(ServiceSettings, file)
