"""Indexes for lists of payments, the newest first: their cost does not grow with the table."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("payments_by_account", "payments")
    place = ["accepted_at", "uetr"]
    op.create_index("payments_by_account", "payments", ["account", "side", *place], unique=False)
    op.create_index("payments_by_account_state", "payments", ["account", "side", "state", *place], unique=False)
