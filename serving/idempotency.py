"""Exactly once at the door: the same key and body give the same answer for ever.

What is kept has no personal data: the body only as an HMAC, the answer only as identifiers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table, Text, insert, select

from contracts.terms.errors import IdempotencyKeyReused, Malformed

_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
Answer = dict[str, str]


def idempotency_table(metadata: MetaData) -> Table:
    """The table a service declares among its own, so that its migrations create it."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hmac", LargeBinary, nullable=False),
        Column("answer", Text, nullable=False),
    )


class IdempotencyKeys:
    """Remembers answers by (caller, key). `secret` keys the HMAC over bodies."""

    def __init__(self, table: Table, secret: bytes) -> None:
        self._table, self._secret = table, secret

    def once(
        self, connection: Connection, caller: str, key: str, body: bytes, act: Callable[[], Answer]
    ) -> Answer:
        """Run `act` inside the caller's transaction, or return the answer it gave when it first ran.

        Raises IdempotencyKeyReused for the same key with another body, Malformed for a key that is none.
        """
        if not _KEY.fullmatch(key):
            raise Malformed("Idempotency-Key: 1 to 128 visible ASCII characters, for instance a UUID")
        table, digest = self._table, hmac.digest(self._secret, body, hashlib.sha256)
        row = connection.execute(
            select(table.c.body_hmac, table.c.answer).where(table.c.caller == caller, table.c.key == key)
        ).one_or_none()
        if row is None:
            answer = act()
            connection.execute(
                insert(table).values(caller=caller, key=key, body_hmac=digest, answer=json.dumps(answer))
            )
            return answer
        if not hmac.compare_digest(row.body_hmac, digest):
            raise IdempotencyKeyReused("this Idempotency-Key was used with another body; use a new key")
        remembered: Answer = json.loads(row.answer)
        return remembered
