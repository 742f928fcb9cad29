"""Which Settlement contracts took over from the pinned one, and for which of them each price was signed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "successors",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("address"),
    )
    # Empty: taken before this was recorded, when none had been replaced.
    for table in ("quotes", "payments"):
        op.add_column(table, sa.Column("contract", sa.Text(), nullable=False, server_default=""))
