"""The durable record that a member makes before it signs a batch, so that no payment is signed at two places.

A place is (debtor agent, lane, sequence): the contract stores one batch there for ever. Several batches may be signed
for one place, because only one of them can settle; a payment may be signed at another place only once every batch that
holds it is dead: its place is final without it, or its deadline is past in a final block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    exists,
    insert,
    select,
    update,
)

from contracts.terms.batch import Batch, Place
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import AlreadySigned
from contracts.terms.identifiers import Address

LIVE, SETTLED, DEAD = "live", "settled", "dead"


@dataclass(frozen=True)
class SignedTables:
    batches: Table
    payments: Table


def signed_tables(metadata: MetaData) -> SignedTables:
    """The two tables each member declares among its own, so that its migrations create them."""
    batches = Table(
        "signed_batches",
        metadata,
        Column("batch_hash", LargeBinary, primary_key=True),
        Column("contract", Text, nullable=False),
        Column("debtor_agent", Text, nullable=False),
        Column("lane", Integer, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("deadline", BigInteger, nullable=False),
        Column("state", Text, nullable=False, index=True),
    )
    payments = Table(
        "signed_payments",
        metadata,
        Column("batch_hash", LargeBinary, ForeignKey("signed_batches.batch_hash"), primary_key=True),
        Column("uetr", Text, primary_key=True, index=True),
    )
    return SignedTables(batches, payments)


class SignedRecord:
    """What this member has signed, and what became of it."""

    def __init__(self, tables: SignedTables, contract: Address) -> None:
        self._batches, self._payments, self._contract = tables.batches, tables.payments, contract

    def record(self, connection: Connection, batch: Batch, uetrs: Sequence[str]) -> None:
        """Remember a batch before signing it. Harmless when it is already remembered.

        Raises AlreadySigned when one of the payments is in a live batch at another place.
        """
        name = batch_hash(batch)
        known = connection.execute(select(self._batches.c.state).where(self._batches.c.batch_hash == name)).scalar()
        if known == LIVE:
            return
        if known is not None:
            raise AlreadySigned(f"this batch is {known}")
        self._refuse_elsewhere(connection, batch.place, uetrs)
        row = {
            "batch_hash": name,
            "contract": self._contract,
            "debtor_agent": batch.debtor_agent,
            "lane": batch.lane,
            "sequence": batch.sequence,
            "deadline": batch.deadline,
            "state": LIVE,
        }
        connection.execute(insert(self._batches).values(row))
        if uetrs:
            connection.execute(insert(self._payments), [{"batch_hash": name, "uetr": uetr} for uetr in uetrs])

    def settle(self, connection: Connection, place: Place, name: bytes) -> list[str]:
        """The batch `name` is final at `place`: the UETRs of its own payments. Other batches there are dead."""
        batches = self._batches
        at_place = self._at(place)
        connection.execute(update(batches).where(at_place, batches.c.batch_hash != name).values(state=DEAD))
        connection.execute(update(batches).where(at_place, batches.c.batch_hash == name).values(state=SETTLED))
        return self.payments_of(connection, name)

    def bury(self, connection: Connection, final_time: int) -> None:
        """Every live batch whose deadline is past in a final block is dead: the contract takes it no more."""
        batches = self._batches
        late = and_(batches.c.state == LIVE, batches.c.deadline < final_time)
        connection.execute(update(batches).where(late).values(state=DEAD))

    def any_live(self, connection: Connection) -> bool:
        """Whether any batch that this member signed may still settle."""
        statement = select(self._batches.c.batch_hash).where(self._batches.c.state == LIVE).limit(1)
        return connection.execute(statement).one_or_none() is not None

    def is_live(self, connection: Connection, name: bytes) -> bool:
        """Whether a batch may still settle."""
        state = connection.execute(select(self._batches.c.state).where(self._batches.c.batch_hash == name)).scalar()
        return state == LIVE

    def payments_of(self, connection: Connection, name: bytes) -> list[str]:
        """The UETRs recorded with a batch."""
        rows = connection.execute(select(self._payments.c.uetr).where(self._payments.c.batch_hash == name))
        return list(rows.scalars())

    def live(self, connection: Connection, uetrs: Iterable[str]) -> set[str]:
        """Those of `uetrs` that are in a live batch."""
        rows = connection.execute(
            select(self._payments.c.uetr)
            .join(self._batches, self._batches.c.batch_hash == self._payments.c.batch_hash)
            .where(self._batches.c.state == LIVE)
        )
        return set(rows.scalars()) & set(uetrs)

    def _refuse_elsewhere(self, connection: Connection, place: Place, uetrs: Sequence[str]) -> None:
        batches, payments = self._batches, self._payments
        elsewhere = exists().where(
            batches.c.batch_hash == payments.c.batch_hash,
            batches.c.state != DEAD,
            ~self._at(place),
        )
        rows = connection.execute(select(payments.c.uetr).where(payments.c.uetr.in_(uetrs), elsewhere))
        taken = rows.scalars().first()
        if taken is not None:
            raise AlreadySigned("the payment is signed in another batch that may still settle", uetr=taken)

    def _at(self, place: Place) -> ColumnElement[bool]:
        c = self._batches.c
        return and_(c.debtor_agent == place.debtor_agent, c.lane == place.lane, c.sequence == place.sequence)
