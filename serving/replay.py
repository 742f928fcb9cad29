"""A signed message is accepted once: its nonce is remembered until its signature has expired."""

from __future__ import annotations

import time

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, insert
from sqlalchemy.exc import IntegrityError

from contracts.terms.errors import Replayed
from serving.database import Database
from serving.messages import MAX_AGE, Sender


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


class ReplayGuard:
    """Remembers nonces durably, so that a restart or a kill does not open the door to a replay."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._forget_at = time.monotonic()

    def accept_once(self, sender: Sender) -> None:
        """Remember the message. Raises Replayed if it was remembered before."""
        now = time.monotonic()
        if forget := now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY
        self._database.write(lambda connection: self._remember(connection, sender, forget))

    def _remember(self, connection: Connection, sender: Sender, forget: bool) -> None:
        table = self._table
        if forget:
            long_expired = int(time.time()) - 2 * int(MAX_AGE.total_seconds())
            connection.execute(delete(table).where(table.c.expires < long_expired))
        row = {"sender": sender.participant.account, "nonce": sender.nonce, "expires": sender.expires}
        try:
            connection.execute(insert(table), row)
        except IntegrityError as failure:
            raise Replayed("this message was received before; sign it anew") from failure
