"""A node's database with as many settled payments as wanted: the rows that its own code left of one list, copied.

Each copy is a list of payments of its own: UETRs, batch, place, journal entries and feed go on where the last list's
ended, so that `feiqian node verify` finds nothing. Copied are rows, in big transactions without a journal: the file is
made for one measurement.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.documents import from_document, to_document
from nodes.accounts.tables import entries, postings
from nodes.batches.tables import batches, settled_payments
from nodes.metadata import idempotency_keys, metadata, signed
from nodes.payments.tables import agreements, payment_events, payments
from nodes.quotes.tables import quotes
from serving.jsontext import dump, load
from tests.benchmarks.bank import opened, settle_list
from tests.databases import looking

LIST = 100
"""Payments a copy, in one batch."""
CHUNK = 500
"""Copies a transaction."""
_CACHE_KIB = 200_000


@dataclass(frozen=True)
class Copied:
    """How rows of a payment are copied: `old` is the UETR that a row `r` belongs to, `changed` what differs in the copy
    `c` by column, `joined` where else to look for that UETR."""

    old: str
    changed: Mapping[str, str]
    joined: str = ""


_ENTRY = f"r.{{}} + c.copy * {LIST}"
COPIED: Mapping[str, Copied] = {
    payments.name: Copied("r.uetr", {"uetr": "c.uetr", "accepted_at": "r.accepted_at + c.copy"}),
    payment_events.name: Copied("r.uetr", {"uetr": "c.uetr", "place": "r.place + c.copy * c.events"}),
    agreements.name: Copied("r.uetr", {"uetr": "c.uetr"}),
    quotes.name: Copied("r.used_by", {"id": "c.uetr", "used_by": "c.uetr"}),
    idempotency_keys.name: Copied(
        "json_extract(r.answer, '$.answer.uetr')", {"key": "c.uetr", "answer": "replace(r.answer, c.old, c.uetr)"}
    ),
    entries.name: Copied(
        "substr(r.key, 9)",
        {"id": _ENTRY.format("id"), "key": "'payment:' || c.uetr", "description": "'payment ' || c.uetr"},
    ),
    postings.name: Copied(
        "substr(e.key, 9)", {"entry": _ENTRY.format("entry")}, "JOIN journal_entries e ON e.id = r.entry"
    ),
    signed.payments.name: Copied("r.uetr", {"batch_hash": "c.batch_hash", "uetr": "c.uetr"}),
    settled_payments.name: Copied("r.uetr", {"batch_hash": "c.batch_hash", "uetr": "c.uetr"}),
}
"""By table. Parents stand before what refers to them only for the reader: references are checked by `verify`."""


def fill(path: Path, count: int) -> list[str]:
    """Make a node's database with `count` settled payments, a multiple of LIST; some UETRs from all over it."""
    with opened(path) as bank:
        pattern = settle_list(bank, LIST)
    copies = count // LIST - 1
    found = list(pattern[:1])
    with looking(path) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}", "temp_store = MEMORY"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        _keep_pattern(connection, pattern)
        for first in range(1, copies + 1, CHUNK):
            chunk = range(first, min(first + CHUNK, copies + 1))
            found += _copy_all(connection, pattern, chunk, copies)[:: 10 * LIST]
        _bring_sums(connection, copies)
    return found


def _keep_pattern(connection: Connection, pattern: Sequence[str]) -> None:
    """The rows to copy, beside the tables that they are copied into."""
    connection.exec_driver_sql(
        "CREATE TEMP TABLE copies (copy INTEGER, old TEXT, uetr TEXT, batch_hash BLOB, events INTEGER)"
    )
    connection.exec_driver_sql("CREATE TEMP TABLE pattern (uetr TEXT PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO pattern VALUES (?)", [(uetr,) for uetr in pattern])
    for table, copied in COPIED.items():
        rows = f"SELECT {copied.old} AS old, r.* FROM {table} r {copied.joined} WHERE {copied.old} IN pattern"
        connection.exec_driver_sql(f"CREATE TEMP TABLE pattern_{table} AS {rows}")
        connection.exec_driver_sql(f"CREATE INDEX temp.of_{table} ON pattern_{table} (old)")
    for table in (batches.name, signed.batches.name, "final_blocks", "feeds"):
        connection.exec_driver_sql(f"CREATE TEMP TABLE pattern_{table} AS SELECT * FROM {table}")


def _copy_all(connection: Connection, pattern: Sequence[str], chunk: range, copies: int) -> list[str]:
    """One transaction of copies; their UETRs."""
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("DELETE FROM copies")
    uetrs = _uetrs(len(pattern), chunk, copies)
    _copy_batches(connection, pattern, chunk, uetrs)
    for table, copied in COPIED.items():
        names = list(metadata.tables[table].c.keys())
        values = ", ".join(copied.changed.get(name, f"r.{name}") for name in names)
        # A cross join keeps the order of the copies, in which each index grows at its end.
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} "
            f"FROM copies c CROSS JOIN pattern_{table} r ON r.old = c.old"
        )
    connection.exec_driver_sql("COMMIT")
    return uetrs


def _copy_batches(connection: Connection, pattern: Sequence[str], chunk: range, uetrs: Sequence[str]) -> None:
    """A batch and a final block of each copy, and where each of its payments belongs."""
    [row] = connection.exec_driver_sql("SELECT document, endorsements, transaction_hash FROM pattern_batches").all()
    document = from_document(Batch, load(row.document))
    [events] = connection.exec_driver_sql("SELECT last FROM pattern_feeds").scalars()
    for number, copy in enumerate(chunk):
        own = uetrs[number * len(pattern) : (number + 1) * len(pattern)]
        batch = replace(document, sequence=document.sequence + copy)
        name = batch_hash(batch)
        placed = {"sequence": batch.sequence, "batch_hash": name}
        written = {"document": dump(to_document(batch)), "uetrs": dump(own)}
        _add_row(connection, batches.name, placed | written)
        _add_row(connection, signed.batches.name, placed)
        connection.exec_driver_sql(
            "INSERT INTO final_blocks SELECT number + ?, block_hash, timestamp FROM pattern_final_blocks", (copy,)
        )
        rows = [(copy, old, uetr, name, events) for old, uetr in zip(pattern, own, strict=True)]
        connection.exec_driver_sql("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", rows)


def _add_row(connection: Connection, table: str, changed: Mapping[str, object]) -> None:
    names = list(metadata.tables[table].c.keys())
    values = ", ".join("?" if name in changed else name for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM pattern_{table}"
    connection.exec_driver_sql(statement, tuple(changed[name] for name in names if name in changed))


def _bring_sums(connection: Connection, copies: int) -> None:
    """Balances and the feed's end, as of all copies."""
    posted = f"SELECT sum(amount) * {copies} FROM pattern_{postings.name} WHERE account = accounts.id"
    connection.exec_driver_sql(f"UPDATE accounts SET balance = balance + coalesce(({posted}), 0)")
    connection.exec_driver_sql(f"UPDATE feeds SET last = last * {copies + 1}")


def _uetrs(length: int, chunk: range, copies: int) -> list[str]:
    """Ascending over all copies, so that no index is built in random order; a tenth of a digit as in earnest."""
    step = 2**32 // ((copies + 1) * length)
    numbers = range(chunk.start * length, chunk.stop * length)
    return [
        f"{number * step:08x}-{_bits(16):04x}-4{_bits(12):03x}-8{_bits(12):03x}-{_bits(48):012x}" for number in numbers
    ]


def _bits(count: int) -> int:
    return random.getrandbits(count)
