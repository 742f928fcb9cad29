"""Batches that this institution formed as debtor agent."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text

from nodes.metadata import metadata
from serving.columns import Octets

batches = Table(
    "batches",
    metadata,
    Column("batch_hash", Octets, primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("uetrs", Text, nullable=False),
    Column("endorsements", Text, nullable=False),
    Column("block_number", BigInteger),
    Column("transaction_hash", Octets),
    CheckConstraint("state IN ('forming', 'signed', 'settled', 'dead')", name="batch_state"),
    Index("batches_by_place", "lane", "sequence"),
)
"""`uetrs` in the order of the tree's leaves. `endorsements` by member, gathered before the own signatures are given."""

settled_payments = Table(
    "settled_payments",
    metadata,
    Column("uetr", Text, primary_key=True),
    Column("batch_hash", Octets, nullable=False),
)
"""The settled batch that holds each payment: one, which the key says. No
reference, because whoever deletes a batch would look through all of them."""
