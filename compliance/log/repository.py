"""The SQL of the log's tree. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, union_all, update

from compliance.log.tree import Frontier, Node, leaf_hash
from compliance.tables import acts, decisions, log_anchors, log_head, log_nodes
from serving.rows import at_most, insert_all
from serving.upsert import upsert

_HASH = 32


@dataclass(frozen=True)
class Entry:
    """An entry of the log, counted from 1: a decision or an act, by its canonical JSON."""

    number: int
    uetr: str
    side: str
    record: bytes


@dataclass(frozen=True)
class Anchor:
    """A head that stands in the attestation of a batch."""

    batch_hash: bytes
    size: int
    root: bytes


def frontier(connection: Connection) -> Frontier:
    """The log's end."""
    row = connection.execute(_HEAD).one_or_none()
    if row is None:
        return Frontier()
    return Frontier(row.size, tuple(row.peaks[at : at + _HASH] for at in range(0, len(row.peaks), _HASH)))


def append(connection: Connection, end: Frontier, records: Sequence[bytes]) -> Frontier:
    """Add entries behind `end`, numbered from `end.size + 1`; the log's new end."""
    if not records:
        return end
    nodes, now = list[Node](), end
    for record in records:
        now, completed = now.append(leaf_hash(record))
        nodes += completed
    insert_all(connection, log_nodes, [{"level": level, "place": place, "hash": node} for level, place, node in nodes])
    values = {"size": now.size, "peaks": b"".join(now.peaks)}
    if connection.execute(_MOVE_HEAD, values).rowcount == 0:
        connection.execute(insert(log_head).values(id=1, **values))
    return now


def node(connection: Connection, level: int, place: int) -> bytes:
    """The hash of a complete subtree."""
    return bytes(connection.execute(_NODE, {"at_level": level, "at_place": place}).scalar_one())


def leaves(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """All entries' places and hashes, as the tree has them."""
    for row in connection.execute(_LEAVES):
        yield row.place, row.hash


def entries(connection: Connection, after: int, limit: int) -> list[Entry]:
    """At most `limit` entries behind the one numbered `after`."""
    rows = connection.execute(at_most(limit, _ENTRIES), {"after": after})
    return [Entry(row.sequence, row.uetr, row.side, row.record) for row in rows]


def leaf_hashes(connection: Connection, after: int, last: int) -> dict[int, bytes]:
    """The hashes that the tree has of the entries behind `after` up to `last`, by their numbers."""
    place = log_nodes.c.place
    chosen = select(place, log_nodes.c.hash).where(log_nodes.c.level == 0, place >= after, place < last)
    return {row.place + 1: row.hash for row in connection.execute(chosen)}


def inner_nodes(connection: Connection) -> dict[tuple[int, int], bytes]:
    """Every node above the entries, by level and place."""
    return {(row.level, row.place): row.hash for row in connection.execute(_INNER)}


def remember_anchor(connection: Connection, batch_hash: bytes, end: Frontier) -> None:
    """Keep the head that an attestation will carry."""
    values = {"batch_hash": batch_hash, "size": end.size, "root": end.root}
    connection.execute(upsert(connection, log_anchors).values(values).on_conflict_do_nothing())


def anchors(connection: Connection, after: int, last: int, limit: int | None) -> list[Anchor]:
    """Anchored heads of more than `after` and at most `last` entries, the shortest log first; at most `limit`."""
    chosen = _ANCHORS if limit is None else at_most(limit, _ANCHORS)
    rows = connection.execute(chosen, {"after": after, "last": last})
    return [Anchor(row.batch_hash, row.size, row.root) for row in rows]


def anchored_roots(connection: Connection) -> dict[int, set[bytes]]:
    """The roots that were anchored, by size."""
    found: dict[int, set[bytes]] = {}
    for row in connection.execute(select(log_anchors.c.size, log_anchors.c.root)):
        found.setdefault(row.size, set()).add(row.root)
    return found


def all_entries(connection: Connection) -> Iterator[Entry]:
    """The whole log in its order."""
    for row in connection.execute(_ALL):
        yield Entry(row.sequence, row.uetr, row.side, row.record)


def _of(table: Any) -> Any:
    return select(table.c.sequence, table.c.uetr, table.c.side, table.c.record)


_HEAD = select(log_head.c.size, log_head.c.peaks)
_MOVE_HEAD = update(log_head).where(log_head.c.id == 1).values(size=bindparam("size"), peaks=bindparam("peaks"))
_NODE = select(log_nodes.c.hash).where(
    log_nodes.c.level == bindparam("at_level"), log_nodes.c.place == bindparam("at_place")
)
_LEAVES = select(log_nodes.c.place, log_nodes.c.hash).where(log_nodes.c.level == 0).order_by(log_nodes.c.place)
_INNER = select(log_nodes).where(log_nodes.c.level > 0)
_all = union_all(_of(decisions), _of(acts)).subquery()
_ALL = select(_all).order_by(_all.c.sequence)
_some = union_all(
    _of(decisions).where(decisions.c.sequence > bindparam("after")),
    _of(acts).where(acts.c.sequence > bindparam("after")),
).subquery()
_ENTRIES = select(_some).order_by(_some.c.sequence)
_ANCHORS = (
    select(log_anchors)
    .where(log_anchors.c.size > bindparam("after"), log_anchors.c.size <= bindparam("last"))
    .order_by(log_anchors.c.size, log_anchors.c.batch_hash)
)
