"""What a node that was restored from a backup needs to find its payments again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "inclusions",
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_hash", "uetr"),
    )
    op.create_table(
        "lost_batches",
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("chain_time", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_hash"),
    )
    op.create_table(
        "doubtful_payments",
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uetr"],
            ["payments.uetr"],
        ),
        sa.PrimaryKeyConstraint("uetr"),
    )
