"""What Alembic runs: the scripts in `versions`, on the connection that the service hands in."""

from __future__ import annotations

from alembic import context

from serving.migrations import run_environment

run_environment(context.config.attributes["connection"])
