"""A signed message is accepted once: its nonce is remembered until its signature has expired."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError

from contracts.terms.errors import Replayed
from serving.database import Database
from serving.messages import Sender
from serving.signed_form import MAX_AGE
from serving.upsert import replace_all


def seen_messages_table(metadata: MetaData) -> Table:
    """The table each service declares among its own, so that its migrations create it."""
    return Table(
        "seen_messages",
        metadata,
        Column("sender", Text, primary_key=True),
        Column("nonce", Text, primary_key=True),
        Column("expires", BigInteger, nullable=False, index=True),
    )


FORGET_EVERY = MAX_AGE.total_seconds()
"""Seconds between the times that what has long expired is forgotten; with every message it would cost it a quarter."""
FORGET_AFTER = 2 * MAX_AGE.total_seconds()
"""Seconds after the end of its message's life for which a nonce is kept."""
_RECEIVED = "this message was received before; sign it anew"


class ReplayGuard:
    """Remembers nonces durably, so that a restart or a kill does not open the door to a replay.

    The one process that has a SQLite file judges by what it has in memory, and what it must remember goes with the
    commit of whatever the message asks for. Processes that share a PostgreSQL database judge by its rows.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._forget_at = time.monotonic()
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], int] | None = None
        """Until when each sender's nonce is good, the oldest first; None until it is read."""

    def accept_once(self, sender: Sender) -> Future[None]:
        """Remember the message. Raises Replayed if it was remembered before.

        It may be acted on now; before it is answered, `require_remembered` what this gives.
        """
        row = {"sender": sender.participant.account, "nonce": sender.nonce, "expires": sender.expires}
        forget = self._is_time_to_forget()
        if self._database.writer is None:
            self._note(sender)
            return self._database.piggyback(lambda connection: self._keep(connection, row, forget))
        future = self._database.submit(lambda connection: self._keep_new(connection, row, forget))
        future.result()
        return future

    def require_remembered(self, remembered: Future[None]) -> None:
        """Return once a message is remembered durably."""
        self._database.require_durable(remembered)

    def _is_time_to_forget(self) -> bool:
        now = time.monotonic()
        if now < self._forget_at:
            return False
        self._forget_at = now + FORGET_EVERY
        return True

    def _note(self, sender: Sender) -> None:
        key, long_expired = (sender.participant.account, sender.nonce), _long_expired()
        with self._lock:
            if self._seen is None:
                self._seen = self._read()
            while self._seen and self._seen[oldest := next(iter(self._seen))] < long_expired:
                del self._seen[oldest]
            if key in self._seen:
                raise Replayed(_RECEIVED)
            self._seen[key] = sender.expires

    def _read(self) -> dict[tuple[str, str], int]:
        table = self._table
        kept = select(table).where(table.c.expires >= _long_expired()).order_by(table.c.expires)
        with self._database.read() as connection:
            return {(row.sender, row.nonce): row.expires for row in connection.execute(kept)}

    def _keep(self, connection: Connection, row: dict[str, Any], forget: bool) -> None:
        self._forget(connection, forget)
        replace_all(connection, self._table, "expires", [row])

    def _keep_new(self, connection: Connection, row: dict[str, Any], forget: bool) -> None:
        self._forget(connection, forget)
        try:
            connection.execute(insert(self._table), row)
        except IntegrityError as failure:
            raise Replayed(_RECEIVED) from failure

    def _forget(self, connection: Connection, forget: bool) -> None:
        if forget:
            connection.execute(delete(self._table).where(self._table.c.expires < _long_expired()))


def _long_expired() -> int:
    """What expired before this second since 1970 can never be accepted again, whatever our clock did a moment ago."""
    return int(time.time() - FORGET_AFTER)
