"""Everything the chain keeps, in one SQLite database.

`state` is py-evm's key-value table (trie nodes, code, headers, indices); `blocks` holds header and seals;
`logs` is the index eth_getLogs reads. A block is written inside `with store.block():` and reaches SQLite as
ONE transaction, fsynced (WAL, synchronous=FULL): after a crash there is the previous block or the new one.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysqlite3
from eth.abc import AtomicWriteBatchAPI
from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB
from lru import LRU

from devnet.chain.errors import DatabaseError

# SQLite 3.7.0 to 3.51.2 can lose a WAL reset.
LEAST_SQLITE = (3, 51, 3)
SCHEMA_VERSION = 1
CACHED_VALUES = 20_000
SCHEMA = """
CREATE TABLE state (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL);
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY, hash BLOB UNIQUE NOT NULL, header BLOB NOT NULL, seals BLOB NOT NULL
);
CREATE TABLE logs (
    block INTEGER NOT NULL, position INTEGER NOT NULL, address BLOB NOT NULL,
    topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
    transaction_hash BLOB NOT NULL, transaction_index INTEGER NOT NULL,
    PRIMARY KEY (block, position)
) WITHOUT ROWID;
CREATE INDEX logs_by_address ON logs (address, block);
"""


@dataclass(frozen=True)
class LogRow:
    """One log as the index keeps it; topics are 32 bytes, up to four."""

    block: int
    position: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    transaction_hash: bytes
    transaction_index: int


class Store(BaseAtomicDB):
    """py-evm's key-value store plus the chain's own tables. Owned by one process at a time."""

    def __init__(self, path: str | Path) -> None:
        self._pending: dict[bytes, bytes | None] = {}
        self._cache: Any = LRU(CACHED_VALUES)
        self._sqlite = _connect(str(path))

    def close(self) -> None:
        self._sqlite.close()

    # The mapping py-evm writes through

    def __getitem__(self, key: bytes) -> bytes:
        value = self._pending[key] if key in self._pending else self._cache.get(key) or self._read(key)
        if value is None:
            raise KeyError(key)
        return bytes(value)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._pending[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._pending[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    @contextlib.contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        """py-evm's own batches: they end in the pending block, not yet in SQLite."""
        with AtomicDBWriteBatch._commit_unless_raises(self) as batch:
            yield batch

    def _read(self, key: bytes) -> bytes | None:
        row = self._sqlite.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        self._cache[key] = row[0]
        return bytes(row[0])

    # Blocks

    @contextlib.contextmanager
    def block(self) -> Iterator[None]:
        """Write one block: all of it durably at the end, nothing when the body raises."""
        try:
            self._sqlite.execute("BEGIN IMMEDIATE")
            yield
            self._flush()
            self._sqlite.execute("COMMIT")
        except BaseException:
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")
            raise
        else:
            self._remember()
        finally:
            self._pending = {}

    def _flush(self) -> None:
        written = [(key, value) for key, value in self._pending.items() if value is not None]
        deleted = [(key,) for key, value in self._pending.items() if value is None]
        self._sqlite.executemany(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", written
        )
        self._sqlite.executemany("DELETE FROM state WHERE key = ?", deleted)

    def _remember(self) -> None:
        for key, value in self._pending.items():
            if value is not None:
                self._cache[key] = value
            elif key in self._cache:
                del self._cache[key]

    def add_block(self, number: int, block_hash: bytes, header: bytes, seals: Sequence[bytes]) -> None:
        """Index a block inside `block()`; seals are 65 bytes each, header is RLP."""
        self._sqlite.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", (number, block_hash, header, b"".join(seals)))

    def add_logs(self, rows: Sequence[LogRow]) -> None:
        """Index logs inside `block()`."""
        self._sqlite.executemany(
            "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_columns(row) for row in rows],
        )

    def forget_blocks_after(self, number: int) -> None:
        """Drop the indices of later blocks, inside `block()` (dev mode only)."""
        self._sqlite.execute("DELETE FROM blocks WHERE number > ?", (number,))
        self._sqlite.execute("DELETE FROM logs WHERE block > ?", (number,))

    def head_number(self) -> int | None:
        """The newest block's number; None in a new database."""
        number = self._sqlite.execute("SELECT max(number) FROM blocks").fetchone()[0]
        return None if number is None else int(number)

    def block_hash(self, number: int) -> bytes | None:
        row = self._sqlite.execute("SELECT hash FROM blocks WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def block_number(self, block_hash: bytes) -> int | None:
        row = self._sqlite.execute("SELECT number FROM blocks WHERE hash = ?", (block_hash,)).fetchone()
        return None if row is None else int(row[0])

    def header(self, number: int) -> bytes | None:
        """The RLP of a block's header."""
        row = self._sqlite.execute("SELECT header FROM blocks WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def seals(self, number: int) -> list[bytes]:
        """The 65-byte seals of a block; empty for the genesis block, which nobody seals."""
        row = self._sqlite.execute("SELECT seals FROM blocks WHERE number = ?", (number,)).fetchone()
        joined = b"" if row is None else bytes(row[0])
        return [joined[at : at + 65] for at in range(0, len(joined), 65)]

    def logs(
        self,
        first: int,
        last: int,
        addresses: Sequence[bytes],
        topics: Sequence[Sequence[bytes]],
        limit: int,
    ) -> list[LogRow]:
        """Logs of blocks first..last in order, at most `limit`; an empty list of choices matches anything."""
        where, arguments = ["block BETWEEN ? AND ?"], [first, last]
        wanted = [("address", addresses), *((f"topic{at}", choices) for at, choices in enumerate(topics))]
        for column, choices in wanted:
            if choices:
                where.append(f"{column} IN ({', '.join('?' * len(choices))})")
                arguments.extend(choices)  # type: ignore[arg-type]
        if len(topics) > 0:
            where.append(f"topic{len(topics) - 1} IS NOT NULL")
        query = f"SELECT * FROM logs WHERE {' AND '.join(where)} ORDER BY block, position LIMIT ?"  # noqa: S608 (our words)
        return [_log_row(row) for row in self._sqlite.execute(query, (*arguments, limit))]


def _connect(path: str) -> Any:
    version = pysqlite3.sqlite_version_info
    if version < LEAST_SQLITE:
        raise DatabaseError(f"database: SQLite {pysqlite3.sqlite_version} is older than 3.51.3")
    try:
        connection = pysqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    except pysqlite3.Error as error:
        raise DatabaseError(f"database: {path}: {error}") from error
    try:
        # Exclusive locking: the first transaction takes the file until the process ends, however it ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        _migrate(connection)
    except pysqlite3.Error as error:
        connection.close()
        if re.search("locked|busy", str(error)):
            raise DatabaseError(f"database: {path} is in use by another process") from error
        raise DatabaseError(f"database: {path}: {error}") from error
    except DatabaseError:
        connection.close()
        raise
    return connection


def _migrate(connection: Any) -> None:
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and tables == 0:
        for statement in filter(str.strip, SCHEMA.split(";\n")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        connection.execute("ROLLBACK")
        raise DatabaseError(f"database: not a chain of this version (schema {version})")
    connection.execute("COMMIT")


def _columns(row: LogRow) -> tuple[Any, ...]:
    topics = [*row.topics, *[None] * (4 - len(row.topics))]
    transaction = (row.transaction_hash, row.transaction_index)
    return (row.block, row.position, row.address, *topics, row.data, *transaction)


def _log_row(row: tuple[Any, ...]) -> LogRow:
    block, position, address, *topics, data, transaction_hash, transaction_index = row
    return LogRow(
        block=block,
        position=position,
        address=bytes(address),
        topics=tuple(bytes(topic) for topic in topics if topic is not None),
        data=bytes(data),
        transaction_hash=bytes(transaction_hash),
        transaction_index=transaction_index,
    )
