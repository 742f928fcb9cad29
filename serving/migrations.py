"""Bring a service's database to its newest schema (Alembic), before the service answers anything."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from serving.database import Database


def migrate(database: Database, scripts: Path) -> None:
    """Run every migration in `scripts` (an Alembic folder) that the database has not seen."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.migrate(upgrade)


def run_environment(connection: Connection) -> None:
    """What each package's Alembic `env.py` calls: run the scripts on the connection that was handed in."""
    from alembic import context

    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
