"""Alembic's entry: run the scripts on the connection that `serving.migrations.migrate` hands in."""

from alembic import context

from serving.migrations import run_environment

run_environment(context.config.attributes["connection"])
