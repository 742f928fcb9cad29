"""The first tables of a node."""

import sqlalchemy as sa
from alembic import op

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("earmarked", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('customer', 'merchant', 'own', 'settlement')", name="account_kind"),
        sa.CheckConstraint("kind NOT IN ('customer', 'merchant') OR balance >= earmarked", name="never_overdrawn"),
        sa.CheckConstraint("earmarked >= 0", name="earmark_not_negative"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_accounts_owner"), "accounts", ["owner"], unique=False)
    op.create_table(
        "batches",
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("uetrs", sa.Text(), nullable=False),
        sa.Column("endorsements", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('forming', 'signed', 'settled', 'dead')", name="batch_state"),
        sa.PrimaryKeyConstraint("batch_hash"),
    )
    op.create_index(op.f("ix_batches_state"), "batches", ["state"], unique=False)
    op.create_table(
        "final_blocks",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key"),
    )
    op.create_table(
        "journal_entries",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("chain_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "quotes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("creditor_agent", sa.Text(), nullable=False),
        sa.Column("payee_key", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("rate_date", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("used_by"),
    )
    op.create_table(
        "seen_messages",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "nonce"),
    )
    op.create_index(op.f("ix_seen_messages_expires"), "seen_messages", ["expires"], unique=False)
    op.create_table(
        "signed_batches",
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("debtor_agent", sa.Text(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_hash"),
    )
    op.create_index(op.f("ix_signed_batches_state"), "signed_batches", ["state"], unique=False)
    op.create_table(
        "consumer_codes",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "merchants",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("lookup_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("lookup_key"),
    )
    op.create_index(op.f("ix_merchants_owner"), "merchants", ["owner"], unique=False)
    op.create_table(
        "payments",
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debtor_agent", sa.Text(), nullable=False),
        sa.Column("creditor_agent", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("source_currency", sa.Text(), nullable=False),
        sa.Column("source_amount", sa.BigInteger(), nullable=False),
        sa.Column("target_currency", sa.Text(), nullable=False),
        sa.Column("target_amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("payee_key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("quote_signature", sa.LargeBinary(), nullable=False),
        sa.Column("debtor_commitment", sa.LargeBinary(), nullable=False),
        sa.Column("debtor_decision", sa.LargeBinary(), nullable=False),
        sa.Column("creditor_commitment", sa.LargeBinary(), nullable=False),
        sa.Column("creditor_decision", sa.LargeBinary(), nullable=False),
        sa.Column("original_uetr", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('debtor', 'creditor')", name="payment_side"),
        sa.CheckConstraint(
            "state IN ('accepted', 'held', 'screened', 'agreed', 'cosigning', 'committing', "
            "'settled', 'refused', 'expired', 'cancelled')",
            name="payment_state",
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("uetr"),
    )
    op.create_index("payments_by_account", "payments", ["account", "accepted_at"], unique=False)
    op.create_index("payments_by_original", "payments", ["original_uetr"], unique=False)
    op.create_index("payments_by_state", "payments", ["state", "side", "deadline"], unique=False)
    op.create_table(
        "postings",
        sa.Column("entry", SERIAL, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["journal_entries.id"],
        ),
        sa.PrimaryKeyConstraint("entry", "line"),
    )
    op.create_index(op.f("ix_postings_account"), "postings", ["account"], unique=False)
    op.create_table(
        "signed_payments",
        sa.Column("batch_hash", sa.LargeBinary(), nullable=False),
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_hash"],
            ["signed_batches.batch_hash"],
        ),
        sa.PrimaryKeyConstraint("batch_hash", "uetr"),
    )
    op.create_index(op.f("ix_signed_payments_uetr"), "signed_payments", ["uetr"], unique=False)
    op.create_table(
        "agreements",
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uetr"],
            ["payments.uetr"],
        ),
        sa.PrimaryKeyConstraint("uetr", "account"),
    )
    op.create_table(
        "payment_events",
        sa.Column("uetr", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uetr"],
            ["payments.uetr"],
        ),
        sa.PrimaryKeyConstraint("uetr", "number"),
    )
