"""The book: accounts, and journal entries whose postings sum to zero per currency."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table, Text

from nodes.metadata import metadata
from serving.columns import SERIAL

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False, index=True),
    Column("currency", Text, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("earmarked", BigInteger, nullable=False),
    Column("party", Text, nullable=False),
    CheckConstraint("kind IN ('customer', 'merchant', 'own', 'settlement')", name="account_kind"),
    CheckConstraint("earmarked >= 0", name="earmark_not_negative"),
    CheckConstraint("kind NOT IN ('customer', 'merchant') OR balance >= earmarked", name="never_overdrawn"),
)
"""`balance` counts credits as positive: what the institution owes. The settlement account (what it owns on chain) is
therefore negative, and all balances of one currency sum to zero."""

entries = Table(
    "journal_entries",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("chain_time", BigInteger, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("entry", SERIAL, ForeignKey("journal_entries.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
)
