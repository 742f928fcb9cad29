"""The final blocks that a service has acted on, and the Settlement contracts that they put in office, remembered in the
same transaction as what it did about them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Select, Table, Text, insert, select

from contracts.terms.identifiers import Address
from serving.columns import Octets
from serving.rows import at_most


class RememberedBlock(NamedTuple):
    """Number, hash (32 bytes) and timestamp (seconds) of a final block."""

    number: int
    block_hash: bytes
    timestamp: int


def final_blocks_table(metadata: MetaData) -> Table:
    """The table each following service declares among its own, so that its migrations create it."""
    return Table(
        "final_blocks",
        metadata,
        Column("number", BigInteger, primary_key=True),
        Column("block_hash", Octets, nullable=False),
        Column("timestamp", BigInteger, nullable=False),
    )


def last_final_block(connection: Connection, table: Table) -> RememberedBlock | None:
    """The newest final block that was acted on, None before the first."""
    row = connection.execute(_newest(table)).one_or_none()
    return None if row is None else RememberedBlock(row.number, row.block_hash, row.timestamp)


def remember_final_block(connection: Connection, table: Table, block: RememberedBlock) -> None:
    """Move on: everything up to `block` has been acted on in this transaction."""
    connection.execute(insert(table), block._asdict())


def successors_table(metadata: MetaData) -> Table:
    """The table each following service declares among its own: the Settlements after the pinned one, 1 the first."""
    return Table(
        "successors",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("address", Text, nullable=False, unique=True),
    )


def known_settlements(connection: Connection, table: Table, pinned: Address) -> tuple[Address, ...]:
    """The Settlement contracts in the order of their offices, as of the newest final block that was acted on."""
    return (pinned, *connection.execute(_addresses(table)).scalars())


def remember_settlements(connection: Connection, table: Table, settlements: Sequence[Address]) -> None:
    """Remember the successors among `settlements` that are not known yet; the first of them all is the pinned one."""
    known = len(known_settlements(connection, table, settlements[0]))
    rows = [{"number": number, "address": settlements[number]} for number in range(known, len(settlements))]
    if rows:
        connection.execute(insert(table), rows)


@cache
def _newest(table: Table) -> Select[Any]:
    return at_most(1, select(table).order_by(table.c.number.desc()))


@cache
def _addresses(table: Table) -> Select[Any]:
    return select(table.c.address).order_by(table.c.number)
