"""A decision says which model compared the names; those of before had none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("names_version", sa.Text, nullable=False, server_default=""))
