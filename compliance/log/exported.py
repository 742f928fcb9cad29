"""A log as a file: a line of JSON for each entry, or the pages of `GET /v1/log/entries`, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

import compliance.log.repository as log
from compliance.log.tree import leaf_hash
from contracts.terms.commitments import canonical_json
from contracts.terms.errors import Malformed

_AT_ONCE = 500


@dataclass(frozen=True)
class ExportedEntry:
    """A row as it stands in a file: its number, its record's canonical JSON, and the hash that the log's tree had of
    it when it was exported."""

    number: int
    record: bytes
    leaf: bytes

    @property
    def unchanged(self) -> bool:
        """Is the record the one that was hashed?"""
        return leaf_hash(self.record) == self.leaf


def exported(connection: Connection) -> Iterator[str]:
    """The whole log, line by line."""
    after = 0
    while page := log.entries(connection, after, _AT_ONCE):
        leaves = log.leaf_hashes(connection, after, page[-1].number)
        for entry in page:
            leaf = leaves.get(entry.number, b"")
            written = {"leaf": "0x" + leaf.hex(), "number": entry.number, "record": json.loads(entry.record)}
            yield canonical_json(written).decode()
        after = page[-1].number


def read_log(path: Path) -> list[ExportedEntry]:
    """The rows of a file in the order in which they stand. Raises Malformed with the line that is none."""
    try:
        with path.open("rb") as file:
            return list(_entries(file))
    except OSError as failure:
        raise Malformed(f"{path}: {failure.strerror or failure}") from failure
    except Malformed as failure:
        raise Malformed(f"{path}: {failure.detail}") from failure


def _entries(lines: Iterable[bytes]) -> Iterator[ExportedEntry]:
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            rows = document.get("entries", [document])
            found = [_entry(row) for row in rows]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as failure:
            raise Malformed(f"line {place} is no entry of a log: number, record and leaf are needed") from failure
        yield from found


def _entry(row: dict[str, Any]) -> ExportedEntry:
    number = row["number"]
    if type(number) is not int or not isinstance(row["record"], dict):
        raise ValueError("not an entry")
    return ExportedEntry(number, canonical_json(row["record"]), octets(row["leaf"]))


def octets(text: str) -> bytes:
    """What "0x…" stands for. Raises ValueError."""
    if not text.startswith("0x"):
        raise ValueError("0x and hex digits are needed")
    return bytes.fromhex(text[2:])
