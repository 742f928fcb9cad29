"""What auditors ask of the log: its head, its entries, and proofs that it only ever grew (RFC 6962)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

import compliance.log.repository as log
from compliance.log.repository import Anchor, Entry
from compliance.log.tree import Frontier, consistency_proof, inclusion_proof, leaf_hash
from contracts.terms.errors import Malformed
from serving.database import DatabaseReader

_ALL = 2**62
"""More entries than a log will ever have."""


@dataclass(frozen=True)
class AnchorPage:
    """Anchored heads, the shortest log first; `next_after` asks for the page after, None at the end."""

    anchors: tuple[Anchor, ...]
    next_after: int | None


@dataclass(frozen=True)
class Inclusion:
    """That an entry, by its canonical JSON, is the `number`-th of the first `size`."""

    number: int
    size: int
    record: bytes
    leaf: bytes
    proof: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True)
class Consistency:
    """That the log of `size` entries begins with the log of `old` ones."""

    old: int
    size: int
    old_root: bytes
    root: bytes
    proof: tuple[bytes, ...]


class LogService:
    """Reads the log; writes nothing. Entries are counted from 1."""

    def __init__(self, database: DatabaseReader) -> None:
        self._database = database

    def head(self) -> Frontier:
        """The log's end, as the next attestation would carry it."""
        with self._database.read() as connection:
            return log.frontier(connection)

    def entries(self, after: int, limit: int) -> list[tuple[Entry, bytes]]:
        """At most `limit` entries behind the one numbered `after`, each with the hash that the tree has of it."""
        with self._database.read() as connection:
            found = log.entries(connection, after, limit)
            leaves = log.leaf_hashes(connection, after, found[-1].number) if found else {}
            return [(each, leaves.get(each.number, b"")) for each in found]

    def anchors(self, after: int, limit: int) -> AnchorPage:
        """About `limit` heads that stand in attestations, of more than `after` entries, never some of a size alone."""
        with self._database.read() as connection:
            found = log.anchors(connection, after, _ALL, limit + 1)
            if len(found) <= limit:
                return AnchorPage(tuple(found), None)
            last = found[-1].size
            page = [each for each in found if each.size < last] or log.anchors(connection, last - 1, last, None)
            return AnchorPage(tuple(page), page[-1].size)

    def inclusion(self, number: int, size: int | None) -> Inclusion:
        """The proof of one entry, under the head of `size` entries, or of all. Raises Malformed."""
        with self._database.read() as connection:
            size = _within(log.frontier(connection).size, size)
            if not 1 <= number <= size:
                raise Malformed(f"number: the log of {size} entries has no such entry")
            [entry] = log.entries(connection, number - 1, 1)
            node = _nodes(connection)
            proof = tuple(inclusion_proof(number - 1, size, node))
            return Inclusion(number, size, entry.record, leaf_hash(entry.record), proof, root_at(size, node))

    def consistency(self, old: int, size: int | None) -> Consistency:
        """The proof that nothing was changed since the log had `old` entries. Raises Malformed."""
        with self._database.read() as connection:
            size = _within(log.frontier(connection).size, size)
            if not 0 <= old <= size:
                raise Malformed(f"old: the log of {size} entries never had so many")
            node = _nodes(connection)
            proof = tuple(consistency_proof(old, size, node))
            return Consistency(old, size, root_at(old, node), root_at(size, node), proof)


def root_at(size: int, node: Callable[[int, int], bytes]) -> bytes:
    """The head of the first `size` entries."""
    levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
    return Frontier(size, tuple(node(level, (size >> level) - 1) for level in levels)).root


def _within(there_are: int, size: int | None) -> int:
    if size is not None and size > there_are:
        raise Malformed(f"size: the log has {there_are} entries")
    return there_are if size is None else size


def _nodes(connection: Connection) -> Callable[[int, int], bytes]:
    return lambda level, place: log.node(connection, level, place)
