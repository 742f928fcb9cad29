"""Codes that customers show. A token is kept as a hash, and for ever, so that none is ever used twice."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from nodes.accounts.tables import accounts
from nodes.metadata import metadata
from serving.columns import Octets

consumer_codes = Table(
    "consumer_codes",
    metadata,
    Column("token_hash", Octets, primary_key=True),
    Column("account", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("caller", Text, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("charge_id", Text),
    Column("answer", Text),
)
"""`most` (minor units of the account's currency) is what the customer consents to; `charge_id` the one use."""
