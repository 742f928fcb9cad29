"""Reading the whole log again: whether what is stored is what was logged and anchored, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

import compliance.log.repository as log
from compliance.log.tree import Frontier, leaf_hash


def faults(connection: Connection) -> Iterator[str]:
    """What is wrong with the log, in words; nothing when every entry is the one that its tree and all heads that were
    ever attested were made from."""
    end, inner, stored = Frontier(), log.inner_nodes(connection), log.leaves(connection)
    anchored = log.anchored_roots(connection)
    yield from _wrong_head(anchored, end)
    for expected, entry in enumerate(log.all_entries(connection), start=1):
        if entry.number != expected:
            yield f"entry {expected} of the log is missing"
            return  # whatever follows hangs on it
        leaf = leaf_hash(entry.record)
        if next(stored, None) != (expected - 1, leaf):
            yield f"entry {expected} is not what was logged"
        end, [_, *completed] = end.append(leaf)
        if any(inner.pop((level, place), None) != node for level, place, node in completed):
            yield f"the log's tree is not that of its entries at entry {expected}"
        yield from _wrong_head(anchored, end)
    if inner or next(stored, None) is not None:
        yield f"the log's tree has more entries than the {end.size} that are there"
    if log.frontier(connection) != end:
        yield f"the log's head is not that of the {end.size} entries that are there"
    for size in sorted(anchored):
        yield f"an attestation has the head of {size} entries, and the log has {end.size}"


def _wrong_head(anchored: dict[int, set[bytes]], end: Frontier) -> Iterator[str]:
    if anchored.pop(end.size, {end.root}) != {end.root}:
        yield f"an attestation has another head of {end.size} entries"
