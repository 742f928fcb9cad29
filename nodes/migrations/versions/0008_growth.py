"""What is looked up for a payment or a place is found by an index, however many batches there are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_UETRS = {"sqlite": "json_each(batches.uetrs)", "postgresql": "jsonb_array_elements_text(uetrs::jsonb) AS each(value)"}
"""The payments of a batch as rows of `value`."""


def upgrade() -> None:
    op.create_index("signed_batches_by_place", "signed_batches", ["debtor_agent", "lane", "sequence"], unique=False)
    op.create_index("batches_by_place", "batches", ["lane", "sequence"], unique=False)
    op.create_table(
        "settled_payments",
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uetr"),
    )
    uetrs = _UETRS[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO settled_payments (uetr, batch_hash) "  # noqa: S608 (one of two texts above)
        f"SELECT value, batch_hash FROM batches, {uetrs} WHERE state = 'settled'"
    )
