"""Each service's migrations make exactly the tables that its code declares, CHECK constraints included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, MetaData, text

import bridge.app
import bridge.tables
import compliance.app
import compliance.tables
import nodes.app
import nodes.metadata
from serving.database import Place
from serving.migrations import migrate
from tests.databases import looking, opened, place

SERVICES = {
    "node": (nodes.app.MIGRATIONS, nodes.metadata.metadata),
    "bridge": (bridge.app.MIGRATIONS, bridge.tables.metadata),
    "compliance": (compliance.app.MIGRATIONS, compliance.tables.metadata),
}

ROOT = Path(__file__).parents[2]
PARTS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND conname <> 'alembic_version_pkc'",
    "SELECT tablename, indexname, indexdef FROM pg_indexes"
    " WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
)
"""What a PostgreSQL database says of its tables."""

MIGRATING = """
import sys
from pathlib import Path
from serving.migrations import migrate
from tests.databases import opened

database = opened(Path(sys.argv[1]))
sys.stdin.read()
migrate(database, Path(sys.argv[2]))
database.close()
"""


def migrated(service: str, path: Path) -> Place:
    database = opened(path)
    migrate(database, SERVICES[service][0])
    migrate(database, SERVICES[service][0])  # a second start finds nothing to do
    database.close()
    return place(path)


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_declared_tables(service: str, tmp_path: Path) -> None:
    with looking(migrated(service, tmp_path / "service.db")) as connection:
        assert compare_metadata(MigrationContext.configure(connection), SERVICES[service][1]) == []


@pytest.mark.sqlite
@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_declared_checks(service: str, tmp_path: Path) -> None:
    with looking(migrated(service, tmp_path / "service.db")) as connection:
        made = {name: sql for name, sql in connection.execute(text("SELECT name, sql FROM sqlite_master")) if sql}
    for table, check in declared_checks(SERVICES[service][1]):
        assert check in made[table], f"{table}: the migration lacks CHECK {check}"


@pytest.mark.postgresql
@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_declared_columns_constraints_and_indexes(service: str, tmp_path: Path) -> None:
    with looking(migrated(service, tmp_path / "service.db")) as connection:
        made = parts(connection)
    with looking(place(tmp_path / "declared.db")) as connection:
        SERVICES[service][1].create_all(connection)
        assert made == parts(connection)


def parts(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [sorted(tuple(row) for row in connection.exec_driver_sql(query)) for query in PARTS]


@pytest.mark.postgresql
@pytest.mark.parametrize("service", SERVICES)
def test_processes_that_start_at_once_migrate_once(service: str, tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    command = [sys.executable, "-c", MIGRATING, str(path), str(SERVICES[service][0])]
    place(path)
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) for _ in range(2)]
    for each in started:
        assert each.stdin is not None
        each.stdin.close()
    assert [each.wait() for each in started] == [0, 0]
    with looking(place(path)) as connection:
        assert compare_metadata(MigrationContext.configure(connection), SERVICES[service][1]) == []


def declared_checks(metadata: MetaData) -> list[tuple[str, str]]:
    # Alembic's comparison does not see CHECK constraints.
    return [
        (table.name, str(constraint.sqltext))
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    ]
