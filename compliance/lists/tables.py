"""What is stored of lists: every version that was ever in force, and what followed from it.

No personal data: a false positive has a salted hash of the party, an alert names the decision that has it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from compliance.tables import metadata
from serving.columns import SERIAL, Octets

list_contents = Table(
    "list_contents",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", Octets, nullable=False),
    Column("entries", Integer, nullable=False),
)
list_issues = Table(
    "list_issues",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, index=True),
    Column("version", Text, ForeignKey("list_contents.version"), nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    Column("fresh_at", BigInteger, nullable=False),
)
list_sets = Table(
    "list_sets",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("version", Text, ForeignKey("lists.version"), nullable=False),
    Column("in_force_at", BigInteger, nullable=False),
    Column("rescreened_down_to", BigInteger, nullable=True),
)
false_positives = Table(
    "false_positives",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("reference", Text, nullable=False),
    Column("entry_digest", Text, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("tag", Octets, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("note", Octets, ForeignKey("notes.commitment"), nullable=False),
    Column("approved_by", Text, nullable=True),
    Column("withdrawn_by", Text, nullable=True),
    Column("counted_from", BigInteger, nullable=True),
    Column("counted_until", BigInteger, nullable=True),
    Column("uetr", Text, nullable=False, server_default=""),
    Column("side", Text, nullable=False, server_default=""),
    Column("alert", BigInteger, nullable=True, index=True),
    CheckConstraint("approved_by <> proposed_by", name="two_officers"),
)
customer_alerts = Table(
    "customer_alerts",
    metadata,
    Column("sequence", SERIAL, primary_key=True, autoincrement=True),
    Column("list_version", Text, ForeignKey("lists.version"), nullable=False),
    Column("decision", BigInteger, ForeignKey("decisions.sequence"), nullable=False),
    Column("role", Text, nullable=False),
    Column("payment_open", Integer, nullable=False),
    Column("score", Integer, nullable=False),
    Column("matches", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("assigned", Text, nullable=False, server_default=""),
    Column("proposed_by", Text, nullable=False, server_default=""),
    Column("closed_by", Text, nullable=False, server_default=""),
    Column("closed_at", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("list_version", "decision", "role"),
    CheckConstraint("state IN ('open', 'proposed', 'closed')", name="known_state"),
    CheckConstraint("closed_by = '' OR closed_by <> proposed_by", name="two_officers"),
    Index("customer_alerts_by_state", "state", "sequence"),
    Index("customer_alerts_by_time", "made_at"),
)
"""`proposed_by` is who called it a false positive first; empty where one officer closes it alone."""
customer_alert_lists = Table(
    "customer_alert_lists",
    metadata,
    Column("alert", BigInteger, ForeignKey("customer_alerts.sequence"), primary_key=True, autoincrement=False),
    Column("list", Text, primary_key=True),
)
"""On which lists an alert's matches stand."""
