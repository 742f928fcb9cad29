"""Under which further keys a merchant is found."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "merchant_keys",
        sa.Column("lookup_key", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["merchant"], ["merchants.id"]),
        sa.PrimaryKeyConstraint("lookup_key"),
    )
    op.create_index(op.f("ix_merchant_keys_merchant"), "merchant_keys", ["merchant"], unique=False)
