"""The durable record that a member makes before it signs a batch, so that no payment is signed at two places.

A place is (debtor agent, lane, sequence): the contract stores one batch there for ever. Several batches may be signed
for one place, because only one of them can settle; a payment may be signed at another place only once every batch that
holds it is dead: its place is final without it, or its deadline is past in a final block.

Each batch is signed for one Settlement contract. What was signed for the old one is live until its retirement is final:
from then on only the successor settles, where the sequences go on, so that a place is one in both.

A record that was restored from a backup lacks what was signed since. It stays quiet, which means that nothing is
signed, until every batch that it may lack is settled or dead in a final block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from contracts.terms.batch import MAX_BATCH_LIFETIME, Batch, Place
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import AlreadySigned, Unavailable
from contracts.terms.identifiers import Address
from serving.columns import Octets
from serving.rows import at_most, insert_all

LIVE, SETTLED, DEAD = "live", "settled", "dead"
NOT_SEEN = 2**63 - 1
"""A chain time that is later than any."""


@dataclass(frozen=True)
class SignedTables:
    batches: Table
    payments: Table


def signed_tables(metadata: MetaData) -> SignedTables:
    """The two tables each member declares among its own, so that its migrations create them."""
    batches = Table(
        "signed_batches",
        metadata,
        Column("batch_hash", Octets, primary_key=True),
        Column("contract", Text, nullable=False),
        Column("debtor_agent", Text, nullable=False),
        Column("lane", Integer, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("deadline", BigInteger, nullable=False),
        Column("state", Text, nullable=False, index=True),
        Index("signed_batches_by_place", "debtor_agent", "lane", "sequence"),
    )
    payments = Table(
        "signed_payments",
        metadata,
        Column("batch_hash", Octets, ForeignKey("signed_batches.batch_hash"), primary_key=True),
        Column("uetr", Text, primary_key=True, index=True),
    )
    return SignedTables(batches, payments)


class SignedRecord:
    """What this member has signed, and what became of it.

    `restored_at` says that the record is older than what was signed: it is the time of the newest final block when
    the service started, or NOT_SEEN while the chain has not been asked; None for a whole record.
    """

    def __init__(self, tables: SignedTables, restored_at: int | None = None) -> None:
        self._batches, self._payments, self._sql = tables.batches, tables.payments, _statements(tables)
        self.restored_at = restored_at
        self._quiet_until: int | None = None

    @property
    def quiet(self) -> bool:
        """Whether nothing may be signed yet."""
        return self.restored_at is not None

    @property
    def quiet_until(self) -> int:
        """The chain time (seconds) until which the record is quiet at least, 0 when it is not."""
        if self.restored_at is None:
            return 0
        return self.restored_at + MAX_BATCH_LIFETIME if self._quiet_until is None else self._quiet_until

    def require_whole(self) -> None:
        """Raises Unavailable while the record is quiet."""
        if self.quiet:
            raise Unavailable(
                "restored from a backup: nothing is signed until all that was signed since is settled or dead"
            )

    def record(self, connection: Connection, batch: Batch, uetrs: Sequence[str], contract: Address) -> None:
        """Remember a batch before signing it for `contract`, the Settlement in office. Harmless when it is remembered.

        Raises AlreadySigned when one of the payments is in a live batch at another place or for another contract,
        Unavailable while the record is quiet.
        """
        self.require_whole()
        name = batch_hash(batch)
        known = connection.execute(self._sql.known, {"name": name}).one_or_none()
        if known is not None and known.state == LIVE and known.contract == contract:
            return
        # The hash does not say the contract: a batch that died with a retired one may be the same for its successor.
        anew = known is not None and known.state == DEAD and known.contract != contract
        if known is not None and not anew:
            raise AlreadySigned(f"this batch is {known.state}")
        self._refuse_elsewhere(connection, batch.place, uetrs, contract)
        if anew:
            self._forget(connection, name)
        row = {
            "batch_hash": name,
            "contract": contract,
            "debtor_agent": batch.debtor_agent,
            "lane": batch.lane,
            "sequence": batch.sequence,
            "deadline": batch.deadline,
            "state": LIVE,
        }
        connection.execute(insert(self._batches), row)
        insert_all(connection, self._payments, [{"batch_hash": name, "uetr": uetr} for uetr in uetrs])

    def retire(self, connection: Connection, contract: Address) -> None:
        """A Settlement's retirement is final: what was signed for it and did not settle is dead."""
        batches = self._batches
        left = and_(batches.c.state == LIVE, batches.c.contract == contract)
        connection.execute(update(batches).where(left).values(state=DEAD))

    def settle(self, connection: Connection, place: Place, name: bytes) -> list[str]:
        """The batch `name` is final at `place`: the UETRs of its own payments. Other batches there are dead."""
        settled = {**_at(place), "name": name}
        connection.execute(self._sql.lose, settled)
        connection.execute(self._sql.win, settled)
        return self.payments_of(connection, name)

    def bury(self, connection: Connection, final_time: int) -> None:
        """Every live batch whose deadline is past in a final block is dead: the contract takes it no more.

        A quiet record hears the chain's time here, and ends its quiet.
        """
        self._hear(final_time)
        connection.execute(self._sql.bury, {"final_time": final_time})

    def _hear(self, final_time: int) -> None:
        """Quiet lasts one batch lifetime, counted from the first final block that was made after the start: until
        then, chain time may have been later when the last batch was signed than the chain itself said."""
        if self.restored_at is None:
            return
        if self._quiet_until is None and final_time > self.restored_at:
            self._quiet_until = final_time + MAX_BATCH_LIFETIME
        elif self._quiet_until is not None and final_time > self._quiet_until:
            self.restored_at = self._quiet_until = None

    def knows(self, connection: Connection, name: bytes) -> bool:
        """Whether this member has recorded a batch."""
        return connection.execute(self._sql.known, {"name": name}).one_or_none() is not None

    def any_live(self, connection: Connection) -> bool:
        """Whether any batch that this member signed may still settle."""
        return connection.execute(self._sql.any_live).one_or_none() is not None

    def is_live(self, connection: Connection, name: bytes) -> bool:
        """Whether a batch may still settle."""
        return connection.execute(self._sql.known, {"name": name}).scalar() == LIVE

    def payments_of(self, connection: Connection, name: bytes) -> list[str]:
        """The UETRs recorded with a batch."""
        return list(connection.execute(self._sql.payments_of, {"name": name}).scalars())

    def live(self, connection: Connection, uetrs: Iterable[str]) -> set[str]:
        """Those of `uetrs` that are in a live batch."""
        asked = set(uetrs)
        if not asked:
            return asked
        return set(connection.execute(self._sql.live).scalars()) & asked

    def _forget(self, connection: Connection, name: bytes) -> None:
        connection.execute(delete(self._payments).where(self._payments.c.batch_hash == name))
        connection.execute(delete(self._batches).where(self._batches.c.batch_hash == name))

    def _refuse_elsewhere(self, connection: Connection, place: Place, uetrs: Sequence[str], contract: Address) -> None:
        asked = {**_at(place), "uetrs": uetrs, "contract": contract}
        taken = connection.execute(self._sql.elsewhere, asked).scalars().first()
        if taken is not None:
            raise AlreadySigned("the payment is signed in another batch that may still settle", uetr=taken)


def _at(place: Place) -> dict[str, object]:
    return {"at_agent": place.debtor_agent, "at_lane": place.lane, "at_sequence": place.sequence}


@dataclass(frozen=True)
class _Statements:
    """What a record asks again and again, put together once for its tables."""

    known: Select[Any]
    any_live: Select[Any]
    live: Select[Any]
    payments_of: Select[Any]
    elsewhere: Select[Any]
    lose: Update
    win: Update
    bury: Update


@cache
def _statements(tables: SignedTables) -> _Statements:
    b, p = tables.batches.c, tables.payments.c
    # A parameter of an update bears no column's name.
    at_place = and_(
        b.debtor_agent == bindparam("at_agent"),
        b.lane == bindparam("at_lane"),
        b.sequence == bindparam("at_sequence"),
    )
    elsewhere = exists().where(
        b.batch_hash == p.batch_hash, b.state != DEAD, or_(~at_place, b.contract != bindparam("contract"))
    )
    here, late = b.batch_hash == bindparam("name"), and_(b.state == LIVE, b.deadline < bindparam("final_time"))
    return _Statements(
        known=select(b.state, b.contract).where(here),
        any_live=at_most(1, select(b.batch_hash).where(b.state == LIVE)),
        live=select(p.uetr).join(tables.batches, b.batch_hash == p.batch_hash).where(b.state == LIVE),
        payments_of=select(p.uetr).where(p.batch_hash == bindparam("name")),
        elsewhere=select(p.uetr).where(p.uetr.in_(bindparam("uetrs", expanding=True)), elsewhere),
        lose=update(tables.batches).where(at_place, b.batch_hash != bindparam("name")).values(state=DEAD),
        win=update(tables.batches).where(at_place, here).values(state=SETTLED),
        bury=update(tables.batches).where(late).values(state=DEAD),
    )
