"""A migrated database is exactly the one that the tables declare, checks included."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from bridge.app import MIGRATIONS
from bridge.tables import metadata, postings, reservation_events, reservations
from serving.database import Database
from serving.migrations import migrate
from tests.databases import ON_POSTGRESQL, opened


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = opened(tmp_path / "bridge.db")
    migrate(made, MIGRATIONS)
    return made


def schema(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {row.name: " ".join(row.sql.split()) for row in rows if row.name != "alembic_version"}


@pytest.mark.sqlite
def test_the_migrations_make_the_declared_tables(database: Database) -> None:
    with database.read() as connection:
        migrated, dialect = schema(connection), connection.dialect
    declared = {}
    for table in metadata.tables.values():
        declared[table.name] = str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            declared[str(index.name)] = str(CreateIndex(index).compile(dialect=dialect))
    assert migrated == {name: " ".join(sql.split()) for name, sql in declared.items()}
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database, MIGRATIONS)
    database.close()


@pytest.mark.parametrize("table", [reservations, reservation_events, postings])
def test_the_database_itself_refuses_an_undeclared_state(database: Database, table: object) -> None:
    column = {"reservations": "state", "reservation_events": "event", "postings": "account"}[table.name]  # type: ignore[attr-defined]
    values = {each.name: _some(each) for each in table.columns if not each.primary_key or each.name == "uetr"}  # type: ignore[attr-defined]

    def insert_undeclared(connection: Connection) -> None:
        if not ON_POSTGRESQL:  # which looks at checks first
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(table.insert().values({**values, column: "gone"}))  # type: ignore[attr-defined]

    with pytest.raises(IntegrityError, match="is_declared"):
        database.write(insert_undeclared)
    database.close()


def _some(column: object) -> object:
    return {"INTEGER": 1, "BIGINT": 1, "TEXT": "some", "BLOB": b"some"}[str(column.type)]  # type: ignore[attr-defined]
