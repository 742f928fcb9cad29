"""Merchants and the codes under which payers find them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from nodes.accounts.tables import accounts
from nodes.metadata import metadata
from serving.columns import SERIAL

merchants = Table(
    "merchants",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("account", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("lookup_key", Text, nullable=False, unique=True),
)

# In every further scheme that the acquirer answers for, beside the one of its country.
merchant_keys = Table(
    "merchant_keys",
    metadata,
    Column("lookup_key", Text, primary_key=True),
    Column("merchant", Text, ForeignKey(merchants.c.id), nullable=False, index=True),
)
