"""What the compliance service stores.

Personal data stands in the column `parties` and the table `notes` alone, so that it can be sealed by itself.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from serving.columns import SERIAL, Octets
from serving.cosigning import signed_tables
from serving.final_blocks import successors_table
from serving.replay import seen_messages_table

metadata = MetaData()

policies = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", Text, nullable=False),
)
lists = Table(
    "lists",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", Text, nullable=False),
)
decisions = Table(
    "decisions",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=False),
    Column("uetr", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("matches", Text, nullable=False),
    Column("parties", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("policy_version", Text, ForeignKey("policies.version"), nullable=False),
    Column("list_version", Text, ForeignKey("lists.version"), nullable=False),
    Column("hold_until", BigInteger, nullable=False),
    Column("party_salt", Octets, nullable=False),
    Column("inputs_salt", Octets, nullable=False),
    Column("decision_salt", Octets, nullable=False),
    Column("party_commitment", Octets, nullable=False),
    Column("decision_commitment", Octets, nullable=False),
    Column("record", Octets, nullable=False),
    Column("previous_head", Octets, nullable=False),
    Column("head", Octets, nullable=False),
    UniqueConstraint("uetr", "side", "number"),
    CheckConstraint("outcome IN ('clear', 'hold', 'refuse')", name="known_outcome"),
    CheckConstraint("side IN ('debtor', 'creditor', 'provider')", name="known_side"),
    Index("decisions_by_outcome", "outcome", "hold_until"),
)
notes = Table(
    "notes",
    metadata,
    Column("commitment", Octets, primary_key=True),
    Column("salt", Octets, nullable=False),
    Column("content", Text, nullable=False),
)
day_totals = Table(
    "day_totals",
    metadata,
    Column("account_tag", Octets, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("currency", Integer, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount >= 0", name="not_negative_amount"),
)
final_blocks = Table(
    "final_blocks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("block_hash", Octets, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)
signed = signed_tables(metadata)
successors = successors_table(metadata)
seen_messages = seen_messages_table(metadata)
