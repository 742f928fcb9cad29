"""What a log proves to whoever has nothing but it and a head that was attested: no service is asked, none trusted.

Rows are counted from 1. A head is the root of the first so many rows (RFC 6962, section 2.1), as the `logHead` of an
attestation carries it; an attestation does not say of how many, so that they are all tried.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.log.exported import ExportedEntry, octets
from compliance.log.tree import (
    Frontier,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
)
from contracts.terms.commitments import canonical_json
from contracts.terms.errors import FeiqianError, Malformed


class NotTheLog(FeiqianError):
    """What was handed over is not what was attested."""

    title = "This is not the log that was attested"


@dataclass(frozen=True)
class Head:
    """A head that was attested; `size` is of how many rows, None where nobody says it. `source` names where it was
    read."""

    root: bytes
    size: int | None
    source: str

    def __str__(self) -> str:
        return f"0x{self.root.hex()[:16]}… ({self.source})"


@dataclass(frozen=True)
class Checked:
    """A log in which nothing is wrong: its end, and of each head of how many rows it is."""

    end: Frontier
    heads: tuple[tuple[Head, int], ...]


def check_log(entries: Sequence[ExportedEntry], heads: Iterable[Head]) -> Checked:
    """Raises NotTheLog, in words that name the first row that is wrong, as far as the heads tell it."""
    _check_order(entries)
    _check_rows(entries)
    return _check_heads(entries, list(heads))


def _check_order(entries: Sequence[ExportedEntry]) -> None:
    for expected, entry in enumerate(entries, start=1):
        if entry.number > expected:
            where = f"row {entry.number} stands in its place"
            later = any(each.number == expected for each in entries[expected:])
            raise NotTheLog(f"row {expected} is {'out of its order' if later else 'missing'}: {where}")
        if entry.number < expected:
            raise NotTheLog(f"row {entry.number} stands twice, or out of its order: row {expected} was due")


def _check_rows(entries: Sequence[ExportedEntry]) -> None:
    for entry in entries:
        if entry.unchanged:
            continue
        leaf = leaf_hash(entry.record)
        logged = next((each.number for each in entries if each.leaf == leaf), None)
        if logged is not None:
            raise NotTheLog(f"row {entry.number} is what was logged as row {logged}: rows were put in another order")
        raise NotTheLog(f"row {entry.number} was altered: it is not what was logged")


def _check_heads(entries: Sequence[ExportedEntry], heads: list[Head]) -> Checked:
    """Where rows and their hashes were altered together, the heads alone tell between which sizes it was."""
    end, wanted = Frontier(), {head.root for head in heads}
    sizes = {end.root: 0}
    for entry in entries:
        end, _ = end.append(entry.leaf)
        if (root := end.root) in wanted:
            sizes[root] = end.size
    found = [(head, sizes[head.root]) for head in heads if head.root in sizes and head.size in (None, sizes[head.root])]
    good = max((size for _, size in found), default=0)
    wrong = [head for head in heads if head not in [each for each, _ in found]]
    for head in sorted(wrong, key=lambda each: each.size or len(entries) + 1):
        raise NotTheLog(_between(head, found, len(entries), good))
    return Checked(end, tuple(found))


def _between(head: Head, found: Sequence[tuple[Head, int]], there_are: int, good: int) -> str:
    if head.size is None:
        until = f"rows 1 to {good} are as attested, so look from row {good + 1}" if good else "look from row 1"
        return (
            f"no beginning of this log of {there_are} rows has the head {head}: rows were altered, or left out; {until}"
        )
    if head.size > there_are:
        return f"row {there_are + 1} is missing: the head {head} is of {head.size} rows, and {there_are} are here"
    before = max((size for _, size in found if size <= head.size), default=0)
    return f"the first {head.size} rows have not the head {head}: one of rows {before + 1} to {head.size} was altered"


def inclusion_document(entries: Sequence[ExportedEntry], number: int, size: int | None) -> dict[str, Any]:
    """The proof that a row is in the log, as `GET /v1/log/inclusion` gives it. Raises Malformed."""
    size = _within(entries, size)
    if not 1 <= number <= size:
        raise Malformed(f"number: the log of {size} rows has no row {number}")
    node, entry = _nodes(entries), entries[number - 1]
    proof = inclusion_proof(number - 1, size, node)
    return {
        "number": number,
        "size": size,
        "record": json.loads(entry.record),
        "leaf": _hex(entry.leaf),
        "proof": [_hex(each) for each in proof],
        "root": _hex(_root(entries, size)),
    }


def consistency_document(entries: Sequence[ExportedEntry], old: int, size: int | None) -> dict[str, Any]:
    """The proof that the log only grew since it had `old` rows, as `GET /v1/log/consistency` gives it. Raises
    Malformed."""
    size = _within(entries, size)
    if not 0 <= old <= size:
        raise Malformed(f"old: the log of {size} rows never had {old}")
    return {
        "old": old,
        "size": size,
        "old_root": _hex(_root(entries, old)),
        "root": _hex(_root(entries, size)),
        "proof": [_hex(each) for each in consistency_proof(old, size, _nodes(entries))],
    }


def read_proof(path: Path) -> dict[str, Any] | None:
    """A proof's document; None for what is none."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and "proof" in document else None


def check_proof(document: dict[str, Any], heads: Sequence[Head]) -> str:
    """What a proof shows, in words. Raises NotTheLog when it does not, Malformed when it is none."""
    try:
        if "record" in document:
            return _check_inclusion(document, heads)
        return _check_consistency(document, heads)
    except (KeyError, TypeError, ValueError, AttributeError) as failure:
        raise Malformed(f"not a proof of inclusion or consistency: {failure}") from failure


def _check_inclusion(document: dict[str, Any], heads: Sequence[Head]) -> str:
    number, size, root = document["number"], document["size"], octets(document["root"])
    leaf, proof = leaf_hash(canonical_json(document["record"])), [octets(each) for each in document["proof"]]
    if not includes(root, size, number - 1, leaf, proof):
        raise NotTheLog(f"row {number} is not what was logged: the proof does not lead from it to the head")
    for head in heads:
        if head.root != root or head.size not in (None, size):
            raise NotTheLog(f"the proof leads to another head than {head}")
    return f"row {number} is in the log of {size} rows"


def _check_consistency(document: dict[str, Any], heads: Sequence[Head]) -> str:
    old, size = document["old"], document["size"]
    roots = {octets(document["old_root"]): old, octets(document["root"]): size}
    proof = [octets(each) for each in document["proof"]]
    if not extends(octets(document["old_root"]), old, octets(document["root"]), size, proof):
        raise NotTheLog(f"the log of {size} rows does not begin with that of {old}: rows up to {old} were altered")
    for head in heads:
        if head.root not in roots or head.size not in (None, roots[head.root]):
            raise NotTheLog(f"the proof is about other heads than {head}")
    return f"the log of {size} rows begins with that of {old}"


def _within(entries: Sequence[ExportedEntry], size: int | None) -> int:
    if size is not None and not 0 <= size <= len(entries):
        raise Malformed(f"size: the log has {len(entries)} rows")
    return len(entries) if size is None else size


def _nodes(entries: Sequence[ExportedEntry]) -> Any:
    end, nodes = Frontier(), dict[tuple[int, int], bytes]()
    for entry in entries:
        end, completed = end.append(entry.leaf)
        nodes |= {(level, place): node for level, place, node in completed}
    return lambda level, place: nodes[level, place]


def _root(entries: Sequence[ExportedEntry], size: int) -> bytes:
    end = Frontier()
    for entry in entries[:size]:
        end, _ = end.append(entry.leaf)
    return end.root


def _hex(octets_of: bytes) -> str:
    return "0x" + octets_of.hex()
