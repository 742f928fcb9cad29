"""Payments, each with every event that moved it; as debtor agent and as creditor agent in one table."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from contracts.terms.payment import State
from nodes.accounts.tables import accounts
from nodes.metadata import metadata
from serving.columns import Octets

_STATES = ", ".join(f"'{state.value}'" for state in State)

payments = Table(
    "payments",
    metadata,
    Column("uetr", Text, primary_key=True),
    Column("side", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("account", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("debtor_agent", Text, nullable=False),
    Column("creditor_agent", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("source_currency", Text, nullable=False),
    Column("source_amount", BigInteger, nullable=False),
    Column("target_currency", Text, nullable=False),
    Column("target_amount", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("payee_key", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("debtor", Text, nullable=False),
    Column("creditor", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("quote_signature", Octets, nullable=False),
    Column("debtor_commitment", Octets, nullable=False),
    Column("debtor_decision", Octets, nullable=False),
    Column("creditor_commitment", Octets, nullable=False),
    Column("creditor_decision", Octets, nullable=False),
    Column("original_uetr", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("contract", Text, nullable=False, server_default=""),
    CheckConstraint("side IN ('debtor', 'creditor')", name="payment_side"),
    CheckConstraint(f"state IN ({_STATES})", name="payment_state"),
    Index("payments_by_state", "state", "side", "deadline"),
    Index("payments_by_account", "account", "side", "accepted_at", "uetr"),
    Index("payments_by_account_state", "account", "side", "state", "accepted_at", "uetr"),
    Index("payments_by_original", "original_uetr"),
)
"""`accepted_at` is in milliseconds of the institution's clock and serves people; deadlines are chain time. `contract`
is the Settlement that a payment's price was signed for, empty at the creditor agent."""

payment_events = Table(
    "payment_events",
    metadata,
    Column("uetr", Text, ForeignKey("payments.uetr"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("place", BigInteger, nullable=False, server_default="0"),
    Index("payment_events_by_owner", "owner", "place", unique=True),
)
"""`place` counts the events of all payments on the accounts of one `owner`, without a gap, in the order in which they
were committed: whoever adds one holds the owner's row in `feeds` until then."""

feeds = Table(
    "feeds",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

agreements = Table(
    "agreements",
    metadata,
    Column("uetr", Text, ForeignKey("payments.uetr"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("agreement", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("signature", Octets, nullable=False),
)
"""What the creditor agent and the FX provider signed when they agreed to a payment: part of its evidence."""
