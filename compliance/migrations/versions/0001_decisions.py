"""The first tables: policies and lists, decisions, notes, totals of the day, what was signed, the last final block."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None


def upgrade() -> None:
    for versioned in ("policies", "lists"):
        op.create_table(
            versioned,
            sa.Column("version", sa.Text, primary_key=True),
            sa.Column("content", sa.Text, nullable=False),
        )
    _create_decisions()
    op.create_table(
        "notes",
        sa.Column("commitment", sa.LargeBinary, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "day_totals",
        sa.Column("account_tag", sa.LargeBinary, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("currency", sa.Integer, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount >= 0", name="not_negative_amount"),
    )
    op.create_table(
        "final_blocks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
    )
    _create_signed()
    op.create_table(
        "seen_messages",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=False),
        sa.Column("uetr", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("matches", sa.Text, nullable=False),
        sa.Column("parties", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, sa.ForeignKey("policies.version"), nullable=False),
        sa.Column("list_version", sa.Text, sa.ForeignKey("lists.version"), nullable=False),
        sa.Column("hold_until", sa.BigInteger, nullable=False),
        *(sa.Column(f"{what}_salt", sa.LargeBinary, nullable=False) for what in ("party", "inputs", "decision")),
        sa.Column("party_commitment", sa.LargeBinary, nullable=False),
        sa.Column("decision_commitment", sa.LargeBinary, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("previous_head", sa.LargeBinary, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("uetr", "side", "number"),
        sa.CheckConstraint("outcome IN ('clear', 'hold', 'refuse')", name="known_outcome"),
        sa.CheckConstraint("side IN ('debtor', 'creditor', 'provider')", name="known_side"),
    )
    op.create_index("decisions_by_outcome", "decisions", ["outcome", "hold_until"])


def _create_signed() -> None:
    op.create_table(
        "signed_batches",
        sa.Column("batch_hash", sa.LargeBinary, primary_key=True),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("debtor_agent", sa.Text, nullable=False),
        sa.Column("lane", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, index=True),
    )
    op.create_table(
        "signed_payments",
        sa.Column("batch_hash", sa.LargeBinary, sa.ForeignKey("signed_batches.batch_hash"), primary_key=True),
        sa.Column("uetr", sa.Text, primary_key=True, index=True),
    )
