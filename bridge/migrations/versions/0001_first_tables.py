"""The first tables: quotes, reservations, the book, and what every member keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None


def upgrade() -> None:
    _shared_tables()
    _quotes()
    _reservations()
    _book()


def _shared_tables() -> None:
    op.create_table(
        "seen_messages",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "final_blocks",
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
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


def _quotes() -> None:
    op.create_table(
        "quotes",
        sa.Column("nonce", sa.LargeBinary, primary_key=True),
        sa.Column("buyer", sa.Text, nullable=False),
        sa.Column("source_currency", sa.Integer, nullable=False),
        sa.Column("source_amount", sa.BigInteger, nullable=False),
        sa.Column("target_currency", sa.Integer, nullable=False),
        sa.Column("target_amount", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("rate", sa.Text, nullable=False),
        sa.Column("rate_date", sa.Text, nullable=False),
        sa.Column("spread_bp", sa.Integer, nullable=False),
        sa.Column("residue", sa.Text, nullable=False),
        sa.Column("residue_currency", sa.Integer, nullable=False),
        sa.Column("original_uetr", sa.Text),
    )


def _reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("uetr", sa.Text, primary_key=True),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("quote_nonce", sa.LargeBinary, sa.ForeignKey("quotes.nonce"), nullable=False, unique=True),
        sa.Column("counterparty", sa.Text, nullable=False),
        sa.Column("target_currency", sa.Integer, nullable=False),
        sa.Column("target_amount", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, index=True),
        sa.Column("original_uetr", sa.Text, sa.ForeignKey("reservations.uetr"), index=True),
        sa.CheckConstraint("state IN ('reserved', 'signed', 'settled', 'released')", name="state_is_declared"),
        sa.CheckConstraint("target_amount > 0", name="target_amount_is_positive"),
    )
    op.create_table(
        "reservation_events",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("uetr", sa.Text, sa.ForeignKey("reservations.uetr"), nullable=False, index=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("event IN ('sign', 'drop', 'settle', 'release', 'expire')", name="event_is_declared"),
    )


def _book() -> None:
    op.create_table(
        "postings",
        sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("currency", sa.Integer, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.CheckConstraint("account IN ('stock', 'capital', 'conversion')", name="account_is_declared"),
        sa.UniqueConstraint("reference", "account", "currency", name="one_posting_a_reference"),
    )
    op.create_table(
        "stock",
        sa.Column("currency", sa.Integer, primary_key=True),
        sa.Column("on_chain", sa.BigInteger, nullable=False),
    )
