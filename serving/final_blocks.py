"""The final blocks that a service has acted on, remembered in the same transaction as what it did about them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, Table, insert, select


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
        Column("block_hash", LargeBinary, nullable=False),
        Column("timestamp", BigInteger, nullable=False),
    )


def last_final_block(connection: Connection, table: Table) -> RememberedBlock | None:
    """The newest final block that was acted on, None before the first."""
    row = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else RememberedBlock(row.number, row.block_hash, row.timestamp)


def remember_final_block(connection: Connection, table: Table, block: RememberedBlock) -> None:
    """Move on: everything up to `block` has been acted on in this transaction."""
    connection.execute(insert(table).values(block._asdict()))
