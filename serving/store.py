"""What differs between the databases in which a service can keep its books."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine


class Store(Protocol):
    """One database as one process uses it. The generation is a number that each writing transaction raises, and that
    a file outside the database repeats before anybody hears "done"."""

    name: str
    """What to call it in the names of threads."""

    @property
    def writer(self) -> str | None:
        """Tells this process from others that write the database, outliving restarts; None if there are none."""

    def reading(self) -> Engine:
        """Connections that see one committed state and write nothing."""

    def writing(self) -> Engine:
        """One connection at a time, whose transactions are as if no other ran beside them, or fail."""

    def take(self) -> bool:
        """Make this process a writer of the database; True when it is older than what was acknowledged.

        Raises DatabaseInUse, or Unavailable when the database cannot be trusted with money.
        """

    def opening(self) -> AbstractContextManager[None]:
        """Meanwhile no other process opens or migrates this database."""

    def queue(self, connection: Connection, alone: bool) -> None:
        """The first statement of a writing transaction; `alone` waits until no other process writes."""

    def count(self, connection: Connection) -> int:
        """Raise the generation in this transaction."""

    def acknowledge(self, generation: int, distrusted: bool) -> None:
        """Repeat outside the database what was committed."""

    def trusted(self) -> None:
        """What a restored backup lacked is over."""

    def passes(self, failure: BaseException, alone: bool) -> bool:
        """Whether the same work may do when its transaction is run again from the start."""

    def committed(self, failure: BaseException, generation: int) -> bool:
        """Whether a commit that failed has happened nevertheless. Raises Unavailable when nobody can tell yet."""

    def told(self, failure: BaseException) -> BaseException:
        """The failure as those who wait for the work should hear it."""

    def release(self) -> None:
        """This process writes no more."""
