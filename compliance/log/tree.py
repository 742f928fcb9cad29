"""The Merkle tree of a log that only grows (RFC 6962, section 2.1): its head, and proofs about it.

Pure: hashes in, hashes out. Entries are counted from 0. The verifying functions are what an auditor runs, who has
nothing but a head that was signed into an attestation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NodeAt = Callable[[int, int], bytes]
"""The hash of a complete subtree: of 2^level entries, the `place`-th of its level."""
Node = tuple[int, int, bytes]
"""A complete subtree's level, place and hash."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """What must be known of `size` entries to append more: the heads of the complete subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The Merkle Tree Hash of all entries."""
        if not self.peaks:
            return hashlib.sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = parent_hash(peak, root)
        return root

    def append(self, leaf: bytes) -> tuple[Frontier, list[Node]]:
        """One entry more, and the subtrees that it completes, the leaf itself first."""
        peaks, level, node = list(self.peaks), 0, leaf
        completed = [(0, self.size, leaf)]
        while self.size >> level & 1:
            node, level = parent_hash(peaks.pop(), node), level + 1
            completed.append((level, self.size >> level, node))
        return Frontier(self.size + 1, (*peaks, node)), completed


def inclusion_proof(index: int, size: int, node: NodeAt) -> list[bytes]:
    """The audit path of entry `index` in the tree of the first `size` entries (2.1.1)."""
    return _path(index, 0, size, node)


def consistency_proof(old: int, size: int, node: NodeAt) -> list[bytes]:
    """That the first `size` entries begin with the first `old` ones (2.1.2); empty where there is nothing to prove."""
    return [] if old in (0, size) else _subproof(old, 0, size, True, node)


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that `leaf` is entry `index` of the `size` under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = parent_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = parent_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(old_root: bytes, old: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the log under `root` begins with that under `old_root` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old in (0, size):
        return not proof and (old_root == root if old else old_root == Frontier().root)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = parent_hash(sibling, before), parent_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = parent_hash(after, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, root)


def _path(index: int, start: int, end: int, node: NodeAt) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), _head(middle, end, node)]
    return [*_path(index, middle, end, node), _head(start, middle, node)]


def _subproof(old: int, start: int, end: int, whole: bool, node: NodeAt) -> list[bytes]:
    if old == end:
        return [] if whole else [_head(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, whole, node), _head(middle, end, node)]
    return [*_subproof(old, middle, end, False, node), _head(start, middle, node)]


def _head(start: int, end: int, node: NodeAt) -> bytes:
    """The Merkle Tree Hash of the entries from `start` to before `end`."""
    count = end - start
    if count & (count - 1) == 0:
        return node(count.bit_length() - 1, start // count)
    middle = start + _split(count)
    return parent_hash(_head(start, middle, node), _head(middle, end, node))


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
