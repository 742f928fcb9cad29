"""What the compliance service stores.

Personal data stands in the column `parties` and the table `notes` alone, so that it can be sealed by itself. Whatever
officers or another institution wrote is a note; other tables have the salted commitment to it.
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
    Column("names_version", Text, nullable=False, server_default=""),
    Column("list_version", Text, ForeignKey("lists.version"), nullable=False),
    Column("hold_until", BigInteger, nullable=False),
    Column("party_salt", Octets, nullable=False),
    Column("inputs_salt", Octets, nullable=False),
    Column("decision_salt", Octets, nullable=False),
    Column("party_commitment", Octets, nullable=False),
    Column("decision_commitment", Octets, nullable=False),
    Column("record", Octets, nullable=False),
    Column("rule", Text, nullable=False),
    Column("debtor_tag", Octets),
    Column("creditor_tag", Octets),
    UniqueConstraint("uetr", "side", "number"),
    CheckConstraint("outcome IN ('clear', 'hold', 'refuse', 'request-information')", name="known_outcome"),
    CheckConstraint("side IN ('debtor', 'creditor', 'provider')", name="known_side"),
    Index("decisions_by_outcome", "outcome", "hold_until"),
    Index("decisions_by_debtor", "debtor_tag", "sequence"),
    Index("decisions_by_creditor", "creditor_tag", "sequence"),
)
"""The tags tell whose payments belong together, without telling whose they are; none for a side without a party."""
notes = Table(
    "notes",
    metadata,
    Column("commitment", Octets, primary_key=True),
    Column("salt", Octets, nullable=False),
    Column("content", Text, nullable=False),
)
totals = Table(
    "totals",
    metadata,
    Column("tag", Octets, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("currency", Integer, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount >= 0", name="not_negative_amount"),
)
"""What counts against the limits of a customer or a corridor, by local day ("2026-11-29") and year ("2026")."""
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("peaks", Octets, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)
"""How many entries the log has, and the heads of its complete subtrees, the largest first, 32 bytes each."""
log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Octets, nullable=False),
)
"""The complete subtrees of the log's Merkle tree; level 0 has its entries, which are decisions and acts by `sequence`,
counted from 1."""
log_anchors = Table(
    "log_anchors",
    metadata,
    Column("batch_hash", Octets, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", Octets, nullable=False),
)
"""The heads that stand in attestations."""
cases = Table(
    "cases",
    metadata,
    Column("uetr", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("opened", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    Column("score", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("assigned", Text, nullable=False),
    Column("escalated", Integer, nullable=False),
    CheckConstraint("state IN ('open', 'released', 'refused')", name="known_state"),
    CheckConstraint("priority BETWEEN 0 AND 3", name="known_priority"),
    Index("cases_by_state", "state", "opened"),
)
"""A payment and side that was held once; `opened` is the log's number of the first decision to hold it."""
alerts = Table(
    "alerts",
    metadata,
    Column("uetr", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("list", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("alerts_by_time", "at"),
)
"""What a rule held or refused; `list` names that of a match, empty for other rules."""
screened_days = Table(
    "screened_days",
    metadata,
    Column("day", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("payments", BigInteger, nullable=False),
)
"""How many payments were screened on a local day, by the first outcome."""
acts = Table(
    "acts",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=False),
    Column("uetr", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("record", Octets, nullable=False),
    Index("acts_by_case", "uetr", "side"),
)
"""What officers did in a case beside deciding it: entries of the log, without personal data."""
inquiries = Table(
    "inquiries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("uetr", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("question", Octets, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("answer", Octets),
    Column("answered_at", BigInteger, nullable=False),
    CheckConstraint("direction IN ('asked', 'received')", name="known_direction"),
    Index("inquiries_by_case", "uetr", "side"),
    Index("inquiries_by_time", "direction", "answered_at", "asked_at"),
)
"""Requests for information: those we asked of another agent, and those that others asked of us."""
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
