"""Bring a service's database to its newest schema (Alembic), before the service answers anything."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from serving.database import Database


def migrate(database: Database, scripts: Path) -> None:
    """Run every migration in `scripts` (an Alembic folder) that the database has not seen."""

    def upgrade(connection: Connection) -> None:
        if revision(connection) == newest(scripts):
            return  # Alembic takes half a second to load
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.migrate(upgrade)


def revision(connection: Connection) -> str | None:
    """What the database stands at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest(scripts: Path) -> str:
    """The last revision: each script's name begins with its own."""
    return max(script.name.partition("_")[0] for script in (scripts / "versions").glob("[0-9]*_*.py"))


def run_environment(connection: Connection) -> None:
    """What each package's Alembic `env.py` calls: run the scripts on the connection that was handed in."""
    from alembic import context

    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
