"""SQL of recovery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from contracts.terms.batch import SignedBatch
from contracts.terms.commitments import batch_hash
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.documents import from_document, to_document
from contracts.terms.identifiers import Address
from contracts.terms.merkle import InclusionPath
from nodes.payments.tables import payments
from nodes.recovery.tables import doubtful_payments, inclusions, lost_batches
from serving.jsontext import dump, load
from serving.rows import insert_all


@dataclass(frozen=True)
class LostBatch:
    """A settled batch of which this institution is a member and knows nothing. `chain_time` in seconds."""

    signed: SignedBatch
    block_number: int
    transaction_hash: bytes
    chain_time: int
    why: str = ""

    @property
    def name(self) -> bytes:
        return batch_hash(self.signed.batch)


def add_paths(connection: Connection, name: bytes, included: Sequence[IncludedPayment]) -> None:
    """Remember where payments stand in a batch, in place of what was remembered of it before."""
    connection.execute(delete(inclusions).where(inclusions.c.batch_hash == name))
    rows = [{"batch_hash": name, "uetr": e.terms.uetr, "path": dump(to_document(e.path))} for e in included]
    insert_all(connection, inclusions, rows)


def paths(connection: Connection, name: bytes) -> dict[str, InclusionPath]:
    """Where payments stand in a batch, by UETR."""
    rows = connection.execute(select(inclusions).where(inclusions.c.batch_hash == name))
    return {row.uetr: from_document(InclusionPath, load(row.path)) for row in rows}


def add_lost(connection: Connection, lost: LostBatch) -> None:
    values = {
        "batch_hash": lost.name,
        "document": dump(to_document(lost.signed)),
        "block_number": lost.block_number,
        "transaction_hash": lost.transaction_hash,
        "chain_time": lost.chain_time,
        "why": lost.why,
    }
    connection.execute(insert(lost_batches).values(values))


def lost(connection: Connection) -> list[LostBatch]:
    """All lost batches in the chain's order."""
    return [
        LostBatch(
            from_document(SignedBatch, load(row.document)),
            row.block_number,
            row.transaction_hash,
            row.chain_time,
            row.why,
        )
        for row in connection.execute(_LOST)
    ]


def explain(connection: Connection, name: bytes, why: str) -> None:
    connection.execute(update(lost_batches).where(lost_batches.c.batch_hash == name).values(why=why))


def found(connection: Connection, name: bytes) -> None:
    """A lost batch is lost no more."""
    connection.execute(delete(lost_batches).where(lost_batches.c.batch_hash == name))


def doubt(connection: Connection, uetrs: Iterable[str]) -> None:
    """Payments that may stand in a lost batch. Harmless for those that are doubtful already."""
    known = set(connection.execute(select(doubtful_payments.c.uetr)).scalars())
    rows = [{"uetr": uetr} for uetr in set(uetrs) - known]
    if rows:
        connection.execute(insert(doubtful_payments), rows)


def doubtful(connection: Connection, uetrs: Sequence[str]) -> list[str]:
    """Those of `uetrs` that may stand in a lost batch."""
    column = doubtful_payments.c.uetr
    return list(connection.execute(select(column).where(column.in_(uetrs))).scalars())


def trust(connection: Connection, unless_of: Iterable[Address]) -> None:
    """Doubt no payment any more but those of the debtor agents named."""
    connection.execute(_TRUST, {"agents": list(unless_of)})


_LOST = select(lost_batches).order_by(lost_batches.c.block_number)
_TRUST = delete(doubtful_payments).where(
    ~exists().where(
        payments.c.uetr == doubtful_payments.c.uetr, payments.c.debtor_agent.in_(bindparam("agents", expanding=True))
    )
)
