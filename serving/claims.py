"""What a worker acts on, it claims first: several workers of one service share the work and none stands on another's.

A claim has an end by time, so that what a dead worker held goes on. Nobody holds a claim in a transaction while it
calls out; acting twice on one thing stays harmless, and rare. A SQLite file has one process: all is its own.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, cast, delete, extract, func, select

from serving.database import Database
from serving.upsert import upsert

_KEPT = 60_000
"""Milliseconds after its end for which a claim stays in the table: deleting it sooner would only cost."""


def claims_table(metadata: MetaData) -> Table:
    """The table a service with several workers declares among its own. `until` in milliseconds of the database."""
    return Table(
        "claims",
        metadata,
        Column("name", Text, primary_key=True),
        Column("worker", Text, nullable=False),
        Column("until", BigInteger, nullable=False, index=True),
    )


class Claims:
    """The claims of one worker. A process that goes on where a dead one ended has its claims too."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table

    def take(self, names: Collection[str], seconds: int) -> set[str]:
        """Claim what nobody else has; those of `names` that are this worker's for `seconds` from now."""
        worker = self._database.writer
        if worker is None or not names:
            return set(names)
        return self._database.write(lambda connection: self._take(connection, names, worker, seconds * 1000))

    def _take(self, connection: Connection, names: Collection[str], worker: str, lasts: int) -> set[str]:
        c, now = self._table.c, _now(connection)
        among = c.name.in_(names)
        known = set(connection.execute(select(c.name).where(among)).scalars())
        # Whoever has locked a row is claiming it.
        free = select(c.name).where(among, (c.worker == worker) | (c.until < now)).with_for_update(skip_locked=True)
        taken = set(connection.execute(free).scalars()) | (set(names) - known)
        if taken:
            insert = upsert(connection, self._table)
            values = {"worker": insert.excluded.worker, "until": insert.excluded.until}
            rows = [{"name": name, "worker": worker, "until": now + lasts} for name in sorted(taken)]
            connection.execute(insert.on_conflict_do_update(index_elements=[c.name], set_=values), rows)
        connection.execute(delete(self._table).where(c.worker == worker, c.until < now - _KEPT))
        return taken


class Lease:
    """A claim that one worker keeps for as long as it works."""

    def __init__(self, claims: Claims, name: str, seconds: int) -> None:
        self._claims, self._name, self._seconds = claims, name, seconds

    def held(self) -> bool:
        """Whether it is this worker's now; renews it."""
        return bool(self._claims.take([self._name], self._seconds))


def _now(connection: Connection) -> int:
    """The database's clock: the only one that all workers share."""
    seconds = extract("epoch", func.clock_timestamp())
    return int(connection.execute(select(cast(seconds * 1000, BigInteger))).scalar_one())
