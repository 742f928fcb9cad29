"""Exactly once at the door: the same key and body give the same answer for ever.

What is kept has no personal data: the body only as an HMAC, the answer only as identifiers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header
from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table, Text, insert, select

from contracts.terms.errors import FeiqianError, IdempotencyKeyReused, Malformed, Unavailable, recalled
from serving.database import Database

_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
WHAT_TO_SEND = (
    "Idempotency-Key: 1 to 128 visible ASCII characters that you make up for this request, for instance a UUID; "
    "whoever asks again with the same key and body gets the same answer"
)
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", description=WHAT_TO_SEND)]
"""What an endpoint that must act once asks its caller for."""
Answer = dict[str, str]
_Outcome = dict[str, Any]


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
        self, database: Database, caller: str, key: str, body: bytes, act: Callable[[Connection], Answer]
    ) -> Answer:
        """Run `act` in a transaction and remember its answer or its refusal with it; or give again what was given.

        A refusal undoes what `act` wrote and is remembered for ever too. That we or a peer were not available is no
        answer: it is not remembered. Raises IdempotencyKeyReused for the same key with another body, Malformed for a
        key that is none, and what `act` refused.
        """
        return _told(database.write(lambda connection: self._once(connection, caller, key, body, act)))

    def within(
        self, connection: Connection, caller: str, key: str, body: bytes, act: Callable[[Connection], Answer]
    ) -> Answer:
        """As `once`, in the caller's transaction; what is raised leaves the transaction as good as it was.

        A refusal is remembered only if the caller goes on and commits.
        """
        return _told(self._once(connection, caller, key, body, act))

    def known(self, connection: Connection, caller: str, key: str, body: bytes) -> Answer | None:
        """The answer that this key and body were given before, None for a new key. Raises as `once` does."""
        remembered = self._remembered(connection, caller, key, body)
        return None if remembered is None else _told(remembered)

    def _once(
        self, connection: Connection, caller: str, key: str, body: bytes, act: Callable[[Connection], Answer]
    ) -> _Outcome:
        remembered = self._remembered(connection, caller, key, body)
        if remembered is not None:
            return remembered
        outcome = _try(connection, act)
        values = {"caller": caller, "key": key, "body_hmac": self._hmac(body), "answer": json.dumps(outcome)}
        connection.execute(insert(self._table).values(values))
        return outcome

    def _remembered(self, connection: Connection, caller: str, key: str, body: bytes) -> _Outcome | None:
        if not _KEY.fullmatch(key):
            raise Malformed(WHAT_TO_SEND)
        c = self._table.c
        row = connection.execute(select(c.body_hmac, c.answer).where(c.caller == caller, c.key == key)).one_or_none()
        if row is None:
            return None
        if not hmac.compare_digest(row.body_hmac, self._hmac(body)):
            raise IdempotencyKeyReused("this Idempotency-Key was used with another body; use a new key")
        remembered: _Outcome = json.loads(row.answer)
        return remembered

    def _hmac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)


def _try(connection: Connection, act: Callable[[Connection], Answer]) -> _Outcome:
    try:
        with connection.begin_nested():
            answer = act(connection)
    except Unavailable:
        raise
    except FeiqianError as refused:
        kind, detail, reason = refused.kind(), refused.detail, refused.iso_reason
        return {"refused": {"kind": kind, "detail": detail, "reason": reason, "fields": refused.fields}}
    return {"answer": answer}


def _told(outcome: _Outcome) -> Answer:
    """The answer, or the refusal raised again as it was raised first."""
    if "answer" in outcome:
        answer: Answer = outcome["answer"]
        return answer
    raise recalled(**outcome["refused"])
