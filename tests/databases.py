"""Where tests keep their databases: SQLite files, or databases of the server that FEIQIAN_TEST_POSTGRESQL names."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import pysqlite3
from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from serving.database import Database, Place
from serving.migrations import migrate
from tests.postgresql import VARIABLE, programs

SERVER = make_url(os.environ[VARIABLE]) if VARIABLE in os.environ else None
ON_POSTGRESQL = SERVER is not None


def place(path: Path, scripts: Path | None = None) -> Place:
    """The database of a test that would be the file `path`; the same for the same path.

    On PostgreSQL it is new with the tables of `scripts`, where that saves time.
    """
    if SERVER is None:
        return path
    url = SERVER.set(database=f"{path.stem[:20]}-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}")
    with _server(SERVER) as connection:
        known = connection.exec_driver_sql("SELECT 1 FROM pg_database WHERE datname = %s", (url.database,)).scalar()
        if known is None and scripts is None:
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}"')
        elif known is None and scripts is not None:
            template, side = _template(scripts)
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{template}"')
            (path.parent / f"{url.database}.generation-0").write_bytes(side)
    return url


def text_of(where: Place) -> str:
    """As a setting says it."""
    return where.render_as_string(hide_password=False) if isinstance(where, URL) else str(where)


def opened(path: Path) -> Database:
    """The service's door to the database of this path."""
    return Database(place(path), path.parent)


@contextmanager
def migrated(scripts: Path) -> Iterator[Database]:
    """A new database with the tables of a service, gone afterwards. Faster than migrating: for many examples."""
    with tempfile.TemporaryDirectory() as folder:
        if SERVER is None:
            path: Place = Path(folder) / "service.db"
            (Path(folder) / "service.db").write_bytes(migrated_file(scripts))
        else:
            path = SERVER.set(database=f"copy-{uuid4().hex}")
        with ExitStack() as stack:
            if isinstance(path, URL):
                stack.enter_context(_copy(path, scripts))
            yield stack.enter_context(closing(Database(path, Path(folder))))


@cache
def migrated_file(scripts: Path) -> bytes:
    """An empty SQLite database with the tables of a service."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Database(Path(folder) / "empty.db")) as database:
            migrate(database, scripts)
        return (Path(folder) / "empty.db").read_bytes()


@contextmanager
def _copy(url: URL, scripts: Path) -> Iterator[None]:
    with _server(url) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{_template(scripts)[0]}"')
        yield
        connection.exec_driver_sql(f'DROP DATABASE "{url.database}"')


@cache
def _template(scripts: Path) -> tuple[str, bytes]:
    """The name of a database with the tables of a service, and what its one writer acknowledged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        with closing(opened(path)) as database:
            migrate(database, scripts)
        where = place(path)
        assert isinstance(where, URL)
        assert where.database
        return where.database, (Path(folder) / f"{where.database}.generation-0").read_bytes()


@contextmanager
def looking(where: Place) -> Iterator[Connection]:
    """A connection past the door, for what the door has no way for; each statement stands for itself."""
    if isinstance(where, URL):
        engine = create_engine(where.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    else:
        engine = create_engine(f"sqlite+pysqlite:///{where}", module=pysqlite3, poolclass=NullPool)
    # Two SQLite libraries in one process drop each other's file locks, so it is the one that the services use.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


@contextmanager
def _server(url: URL) -> Iterator[Connection]:
    with looking(url.set(database="postgres")) as connection:
        yield connection


def server() -> str | None:
    """The server on which a network's services keep their books, None for files."""
    return None if SERVER is None else SERVER.render_as_string(hide_password=False)


def back_up(where: Place, copy: Path) -> Path:
    """A copy of a database that is in use, as an operator makes it."""
    copy.unlink(missing_ok=True)
    if isinstance(where, URL):
        _tool("pg_dump", "--format", "custom", "--file", copy, "--dbname", text_of(where))
    else:
        with closing(pysqlite3.connect(str(where))) as source, closing(pysqlite3.connect(str(copy))) as target:
            source.backup(target)
    return copy


def restore(where: Place, copy: Path, in_place: bool = True) -> None:
    """Put a copy in the place of a database that nobody has open; a file as the same file or as another."""
    if isinstance(where, URL):
        with _server(where) as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{where.database}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{where.database}" TEMPLATE template0')
        _tool("pg_restore", "--dbname", text_of(where), copy)
        return
    for suffix in ("-wal", "-shm"):
        where.with_name(where.name + suffix).unlink(missing_ok=True)
    if in_place:
        where.write_bytes(copy.read_bytes())
    else:
        copy.replace(where)


def _tool(name: str, *arguments: object) -> None:
    folder = programs()
    assert folder is not None
    done = subprocess.run([folder / name, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
