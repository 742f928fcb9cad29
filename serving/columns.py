"""Column types that mean the same on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database counts up: 64 bits everywhere (SQLite counts only its own INTEGER, which has them)."""


class Octets(LargeBinary):
    """Bytes as the drivers give and take them. SQLAlchemy would wrap and copy each value for drivers that need it,
    which cost an eighth of the time of a list of decisions."""

    cache_ok = True

    def bind_processor(self, dialect: Any) -> None:
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> None:
        return None
