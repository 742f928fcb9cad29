"""Exactly once at the door: the same key and body give the same answer for ever.

What is kept has no personal data: the body only as an HMAC, the answer only as identifiers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header
from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, select

from contracts.terms.errors import FeiqianError, IdempotencyKeyReused, Malformed, Unavailable, recalled
from serving.columns import Octets
from serving.database import Database
from serving.rows import insert_all

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
        Column("body_hmac", Octets, nullable=False),
        Column("answer", Text, nullable=False),
    )


@dataclass(frozen=True)
class Keyed:
    """What a caller asks for once under a key; `body` says what that is."""

    caller: str
    key: str
    body: bytes


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

    def all_within(
        self,
        connection: Connection,
        asked: Sequence[Keyed],
        act: Callable[[Connection, Sequence[int]], Sequence[Answer | FeiqianError]],
    ) -> list[Answer | FeiqianError]:
        """As `once` for each in turn, in the caller's transaction: its answer, or its refusal, which stops no other.

        `act` is given the places of those that are asked for the first time, each key once, and answers for each; what
        it refuses it must not have written. A refusal is remembered only if the caller goes on and commits.
        """
        answers: dict[int, Answer | FeiqianError] = {}
        left = list(range(len(asked)))
        while left:
            # Of a key that stands twice, the second hears what the first was told.
            first = {(asked[place].caller, asked[place].key): place for place in reversed(left)}
            round_ = sorted(first.values())
            answers |= zip(round_, self._round(connection, asked, round_, act), strict=True)
            left = [place for place in left if place not in answers]
        return [answers[place] for place in range(len(asked))]

    def _round(
        self,
        connection: Connection,
        asked: Sequence[Keyed],
        places: Sequence[int],
        act: Callable[[Connection, Sequence[int]], Sequence[Answer | FeiqianError]],
    ) -> list[Answer | FeiqianError]:
        """The answers of these places, no key among them twice."""
        known = self._rows(connection, [asked[place] for place in places])
        answers: dict[int, Answer | FeiqianError] = {}
        for place in places:
            each = asked[place]
            row = known.get((each.caller, each.key))
            if not _KEY.fullmatch(each.key):
                answers[place] = Malformed(WHAT_TO_SEND)
            elif row is not None:
                answers[place] = self._again(row, each.body)
        new = [place for place in places if place not in answers]
        found = dict(zip(new, act(connection, new), strict=True)) if new else {}
        rows = [
            {"caller": asked[place].caller, "key": asked[place].key, "body_hmac": self._hmac(asked[place].body)}
            | {"answer": json.dumps(_outcome(answer))}
            for place, answer in found.items()
            if not isinstance(answer, Unavailable)
        ]
        insert_all(connection, self._table, rows)
        return [(answers | found)[place] for place in places]

    def _rows(self, connection: Connection, asked: Sequence[Keyed]) -> dict[tuple[str, str], Any]:
        """What is remembered, by caller and key."""
        c, keys, found = self._table.c, dict[str, list[str]](), dict[tuple[str, str], Any]()
        for each in asked:
            keys.setdefault(each.caller, []).append(each.key)
        for caller, of_caller in keys.items():
            here = (c.caller == caller) & c.key.in_(of_caller)
            found |= {(caller, row.key): row for row in connection.execute(select(self._table).where(here))}
        return found

    def _again(self, row: Any, body: bytes) -> Answer | FeiqianError:
        """What was told before, or that this body is another one."""
        try:
            return _told(self._recall(row, body))
        except FeiqianError as refusal:
            return refusal

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
        return None if row is None else self._recall(row, body)

    def _recall(self, row: Any, body: bytes) -> _Outcome:
        if not hmac.compare_digest(row.body_hmac, self._hmac(body)):
            raise IdempotencyKeyReused("this Idempotency-Key was used with another body; use a new key")
        remembered: _Outcome = json.loads(row.answer)
        return remembered

    def _hmac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)


def _try(connection: Connection, act: Callable[[Connection], Answer]) -> _Outcome:
    try:
        with connection.begin_nested():
            return _outcome(act(connection))
    except Unavailable:
        raise
    except FeiqianError as refused:
        return _outcome(refused)


def _outcome(answer: Answer | FeiqianError) -> _Outcome:
    """What is kept of an answer or a refusal."""
    if not isinstance(answer, FeiqianError):
        return {"answer": answer}
    kind, detail, reason = answer.kind(), answer.detail, answer.iso_reason
    return {"refused": {"kind": kind, "detail": detail, "reason": reason, "fields": answer.fields}}


def _told(outcome: _Outcome) -> Answer:
    """The answer, or the refusal raised again as it was raised first."""
    if "answer" in outcome:
        answer: Answer = outcome["answer"]
        return answer
    raise recalled(**outcome["refused"])
