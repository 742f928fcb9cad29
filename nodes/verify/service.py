"""A node's database proves its book: read only, as one committed state, while the node runs or of a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, inspect, select
from sqlalchemy.exc import DBAPIError

from contracts.terms.errors import Conflict, NotFound
from nodes.accounts.tables import accounts, entries
from nodes.batches.tables import batches
from nodes.metadata import signed
from nodes.payments.tables import payment_events, payments
from nodes.verify import book, life
from serving.database import DatabaseReader, Place
from serving.migrations import newest, revision

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_MOST_LINES = 20
"""PRAGMA integrity_check names no more mistakes than this."""

Check = Callable[[Connection], Iterator[str]]
"""Each break in words: what is wrong, and where."""


@dataclass(frozen=True)
class Checked:
    """One check, what it proves, how many rows it is about, and what breaks it."""

    name: str
    proves: str
    rows: int
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """What every check found."""

    checks: tuple[Checked, ...]

    @property
    def broken(self) -> list[str]:
        """Every break, with the name of its check."""
        return [f"{check.name}: {each}" for check in self.checks for each in check.breaks]


def _stored(connection: Connection) -> Iterator[str]:
    """The database is whole, and every reference leads somewhere."""
    if connection.dialect.name != "sqlite":
        return  # PostgreSQL has checked every reference when it was written
    for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_LINES})"):
        if said != "ok":
            yield f"file: {said}"
    for table, row, target, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"table {table}, row {row}: refers to a row of {target} that is not there"


CHECKS: Mapping[str, tuple[Check, Table]] = {
    "stored": (_stored, payments),
    "journal": (book.journal, entries),
    "balances": (book.balances, accounts),
    "earmarks": (book.earmarks, accounts),
    "states": (life.states, payments),
    "events": (life.events, payment_events),
    "settlements": (life.settlements, payments),
    "live batches": (life.live_batches, signed.batches),
    "settled batches": (life.settled_batches, batches),
    "returns": (book.returns, payments),
}
"""By name: the check, and the table whose rows it is about."""


def verify(place: Place) -> Verified:
    """Every check on one committed state of the database. Raises NotFound where there is none, Conflict when it is not
    of this release, Unavailable when its server does not answer."""
    if isinstance(place, Path) and not place.is_file():
        raise NotFound(f"there is no file {place}")
    database = DatabaseReader(place)
    try:
        with database.read() as connection:
            _require_release(connection)
            return Verified(tuple(_checked(connection, name) for name in CHECKS))
    except DBAPIError as failure:
        raise Conflict(f"this is no database that can be read: {failure.orig}") from failure
    finally:
        database.close()


def _require_release(connection: Connection) -> None:
    if not inspect(connection).has_table(payments.name):
        raise Conflict("this is not the database of a node")
    found, known = revision(connection), newest(MIGRATIONS)
    if found != known:
        raise Conflict(
            f"the tables are those of schema {found}, this release verifies {known}: "
            "take the release that wrote them, or let a node of this one open the database first"
        )


def _checked(connection: Connection, name: str) -> Checked:
    check, table = CHECKS[name]
    proves = " ".join((check.__doc__ or "").split())
    try:
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        return Checked(name, proves, rows, tuple(check(connection)))
    except DBAPIError as failure:
        return Checked(name, proves, 0, (f"cannot be read: {failure.orig}",))
