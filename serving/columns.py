"""Column types that mean the same on every database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database counts up: 64 bits everywhere (SQLite counts only its own INTEGER, which has them)."""
