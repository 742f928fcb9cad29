"""Run the scripts of this folder on the connection that `serving.migrations.migrate` hands in."""

from __future__ import annotations

from alembic import context

from serving.migrations import run_environment

run_environment(context.config.attributes["connection"])
