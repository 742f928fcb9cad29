"""SQL of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from contracts.terms.batch import Batch, Endorsement, SignedBatch
from contracts.terms.commitments import batch_hash
from contracts.terms.documents import from_document, to_document
from contracts.terms.identifiers import Address
from nodes.batches.tables import batches, settled_payments
from serving.jsontext import dump, load
from serving.rows import insert_all

FORMING, SIGNED, SETTLED, DEAD = "forming", "signed", "settled", "dead"


@dataclass(frozen=True)
class FormedBatch:
    """A batch of this debtor agent with its payments in the order of the leaves, and what its members signed."""

    batch: Batch
    state: str
    uetrs: tuple[str, ...]
    endorsements: Mapping[Address, Endorsement]
    block_number: int | None
    transaction_hash: bytes | None

    @property
    def name(self) -> bytes:
        return batch_hash(self.batch)


def add(connection: Connection, batch: Batch, uetrs: Sequence[str]) -> None:
    """A batch that is being formed. The same one may have been given up before: with the same payments at the same
    place and the same deadline it has the same hash."""
    same = (batches.c.batch_hash == batch_hash(batch)) & (batches.c.state == DEAD)
    connection.execute(delete(batches).where(same))
    values = {
        "batch_hash": batch_hash(batch),
        "lane": batch.lane,
        "sequence": batch.sequence,
        "state": FORMING,
        "document": dump(to_document(batch)),
        "uetrs": dump(list(uetrs)),
        "endorsements": "{}",
    }
    connection.execute(insert(batches), values)


def sign(connection: Connection, name: bytes, endorsements: Mapping[Address, Endorsement]) -> None:
    """All members have signed: the batch may settle from now on."""
    text = dump({account: to_document(each) for account, each in endorsements.items()})
    connection.execute(update(batches).where(batches.c.batch_hash == name).values(state=SIGNED, endorsements=text))


def is_forming(connection: Connection, name: bytes) -> bool:
    """Whether a batch is still being formed: nobody has given it up."""
    state = connection.execute(select(batches.c.state).where(batches.c.batch_hash == name)).scalar()
    return bool(state == FORMING)


def restore(connection: Connection, signed: SignedBatch, uetrs: Sequence[str]) -> None:
    """A batch that was signed, as the chain has it, in place of whatever was known of it."""
    connection.execute(delete(batches).where(batches.c.batch_hash == batch_hash(signed.batch)))
    connection.execute(delete(settled_payments).where(settled_payments.c.uetr.in_(uetrs)))
    add(connection, signed.batch, uetrs)
    endorsements = dict(zip(signed.batch.members, signed.endorsements, strict=True))
    sign(connection, batch_hash(signed.batch), endorsements)


def find(connection: Connection, name: bytes) -> FormedBatch | None:
    """A batch of this debtor agent in any state."""
    row = connection.execute(select(batches).where(batches.c.batch_hash == name)).one_or_none()
    return None if row is None else _formed(row)


def settle(connection: Connection, name: bytes, block_number: int, transaction_hash: bytes) -> None:
    """A batch is final, and with it each of its payments is found. One that is not known, because a backup was
    restored, is restored first, and settled then."""
    values = {"state": SETTLED, "block_number": block_number, "transaction_hash": transaction_hash}
    if not connection.execute(update(batches).where(batches.c.batch_hash == name).values(values)).rowcount:
        return
    rows = [{"uetr": uetr, "batch_hash": name} for uetr in uetrs_of(connection, name)]
    insert_all(connection, settled_payments, rows)


def bury(connection: Connection, name: bytes) -> None:
    connection.execute(update(batches).where(batches.c.batch_hash == name).values(state=DEAD))


def uetrs_of(connection: Connection, name: bytes) -> list[str]:
    """The payments of a batch in the order of its leaves."""
    text = connection.execute(select(batches.c.uetrs).where(batches.c.batch_hash == name)).scalar_one()
    return list(load(text))


def in_state(connection: Connection, state: str) -> list[FormedBatch]:
    return [_formed(row) for row in connection.execute(_IN_STATE, {"state": state})]


def settled_at(connection: Connection, lane: int, sequence: int) -> FormedBatch | None:
    c = batches.c
    at = (c.lane == lane) & (c.sequence == sequence) & (c.state == SETTLED)
    row = connection.execute(select(batches).where(at)).one_or_none()
    return None if row is None else _formed(row)


def settled_with(connection: Connection, uetr: str) -> FormedBatch | None:
    """The settled batch that holds a payment."""
    held = select(settled_payments.c.batch_hash).where(settled_payments.c.uetr == uetr).scalar_subquery()
    row = connection.execute(select(batches).where(batches.c.batch_hash == held)).one_or_none()
    return None if row is None else _formed(row)


def settled_batches(connection: Connection, lane: int, after: int, limit: int) -> list[FormedBatch]:
    c = batches.c
    chosen = (c.lane == lane) & (c.state == SETTLED) & (c.sequence > after)
    rows = connection.execute(select(batches).where(chosen).order_by(c.sequence).limit(limit))
    return [_formed(row) for row in rows]


_IN_STATE = select(batches).where(batches.c.state == bindparam("state")).order_by(batches.c.sequence)
"""Put together once: the steps of a worker ask it again and again."""


def _formed(row: Row[Any]) -> FormedBatch:
    endorsements = {
        account: from_document(Endorsement, document) for account, document in load(row.endorsements).items()
    }
    return FormedBatch(
        from_document(Batch, load(row.document)),
        row.state,
        tuple(load(row.uetrs)),
        endorsements,
        row.block_number,
        row.transaction_hash,
    )
