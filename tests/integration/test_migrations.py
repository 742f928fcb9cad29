"""Each service's migrations make exactly the tables that its code declares, CHECK constraints included."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, MetaData, create_engine, text

import bridge.app
import bridge.tables
import compliance.app
import compliance.tables
import nodes.app
import nodes.metadata
from serving.database import Database
from serving.migrations import migrate

SERVICES = {
    "node": (nodes.app.MIGRATIONS, nodes.metadata.metadata),
    "bridge": (bridge.app.MIGRATIONS, bridge.tables.metadata),
    "compliance": (compliance.app.MIGRATIONS, compliance.tables.metadata),
}


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_declared_tables(service: str, tmp_path: Path) -> None:
    scripts, metadata = SERVICES[service]
    database = Database(tmp_path / "service.db")
    migrate(database, scripts)
    migrate(database, scripts)  # a second start finds nothing to do
    database.close()
    with create_engine(f"sqlite:///{tmp_path / 'service.db'}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = {name: sql for name, sql in connection.execute(text("SELECT name, sql FROM sqlite_master")) if sql}
    for table, check in declared_checks(metadata):
        assert check in made[table], f"{table}: the migration lacks CHECK {check}"


def declared_checks(metadata: MetaData) -> list[tuple[str, str]]:
    # Alembic's comparison does not see CHECK constraints.
    return [
        (table.name, str(constraint.sqltext))
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    ]
