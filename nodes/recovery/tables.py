"""What a node remembers so that, restored from a backup, it and its peers find their payments again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from nodes.metadata import metadata
from serving.columns import Octets

inclusions = Table(
    "inclusions",
    metadata,
    Column("batch_hash", Octets, primary_key=True),
    Column("uetr", Text, primary_key=True),
    Column("path", Text, nullable=False),
)
"""Where a payment to us stands in its debtor agent's batch: what we tell a debtor agent that lost it."""

lost_batches = Table(
    "lost_batches",
    metadata,
    Column("batch_hash", Octets, primary_key=True),
    Column("document", Text, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("transaction_hash", Octets, nullable=False),
    Column("chain_time", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
)
"""Settled batches that we signed and know nothing of, until their payments are booked. `document` is the signed batch
from the chain, `why` says what the last try failed for."""

doubtful_payments = Table(
    "doubtful_payments",
    metadata,
    Column("uetr", Text, ForeignKey("payments.uetr"), primary_key=True),
)
"""Open payments that may stand in a lost batch: settled, although this book does not know. They wait as they are."""
