"""Versions of each list, which of them were in force together, false positives, and alerts about customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "list_contents",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
    )
    op.create_table(
        "list_issues",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False, index=True),
        sa.Column("version", sa.Text, sa.ForeignKey("list_contents.version"), nullable=False),
        sa.Column("loaded_at", sa.BigInteger, nullable=False),
        sa.Column("fresh_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "list_sets",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("version", sa.Text, sa.ForeignKey("lists.version"), nullable=False),
        sa.Column("in_force_at", sa.BigInteger, nullable=False),
        sa.Column("rescreened_down_to", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "false_positives",
        sa.Column("number", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("entry_digest", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.LargeBinary, sa.ForeignKey("notes.commitment"), nullable=False),
        sa.Column("approved_by", sa.Text, nullable=True),
        sa.Column("withdrawn_by", sa.Text, nullable=True),
        sa.Column("counted_from", sa.BigInteger, nullable=True),
        sa.Column("counted_until", sa.BigInteger, nullable=True),
        sa.CheckConstraint("approved_by <> proposed_by", name="two_officers"),
    )
    op.create_table(
        "customer_alerts",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("list_version", sa.Text, sa.ForeignKey("lists.version"), nullable=False),
        sa.Column("decision", sa.BigInteger, sa.ForeignKey("decisions.sequence"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("payment_open", sa.Integer, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("matches", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("list_version", "decision", "role"),
    )
