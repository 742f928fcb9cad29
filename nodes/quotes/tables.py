"""Quotes shown to customers, each with the firm price behind it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from nodes.metadata import metadata
from serving.columns import Octets

quotes = Table(
    "quotes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("creditor_agent", Text, nullable=False),
    Column("payee_key", Text, nullable=False),
    Column("payee", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("quote", Text, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("rate", Text, nullable=False),
    Column("rate_date", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used_by", Text, unique=True),
    Column("contract", Text, nullable=False, server_default=""),
)
"""`contract` is the Settlement that the price was signed for."""
