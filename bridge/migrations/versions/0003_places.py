"""A place of a batch is found by an index, however many were signed."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("signed_batches_by_place", "signed_batches", ["debtor_agent", "lane", "sequence"], unique=False)
