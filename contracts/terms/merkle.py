"""The Merkle tree over payment leaves.

A leaf and an inner node are hashed with different first bytes, so that neither can be passed off as the other, and
the odd node of a level is carried up as it is, never paired with itself: each list of leaves has one root and each
root one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Hash

_LEAF, _NODE = b"\x00", b"\x01"


@dataclass(frozen=True)
class InclusionPath:
    """Where a leaf stands (`index` of `count`) and the sibling hashes from the leaf's level to the root."""

    index: int
    count: int
    siblings: tuple[Hash, ...]


class MerkleTree:
    """The tree of a non-empty list of 32-byte leaves."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        assert leaves, "a tree has at least one leaf"
        self._levels = [[_hash_leaf(leaf) for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def path(self, index: int) -> InclusionPath:
        """The inclusion path of the leaf at `index`."""
        siblings, position = [], index
        for level in self._levels[:-1]:
            sibling = position ^ 1
            if sibling < len(level):
                siblings.append(level[sibling])
            position //= 2
        return InclusionPath(index, len(self._levels[0]), tuple(siblings))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a non-empty list of leaves."""
    return MerkleTree(leaves).root


def includes(root: bytes, leaf: bytes, path: InclusionPath) -> bool:
    """True if `leaf` stands at `path.index` of the `path.count` leaves under `root`."""
    if not 0 <= path.index < path.count:
        return False
    node, position, width = _hash_leaf(leaf), path.index, path.count
    siblings = iter(path.siblings)
    while width > 1:
        if position ^ 1 < width:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            node = _hash_node(sibling, node) if position & 1 else _hash_node(node, sibling)
        position, width = position // 2, (width + 1) // 2
    return node == root and next(siblings, None) is None


def _parents(level: list[bytes]) -> list[bytes]:
    paired = [_hash_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return paired + level[-1:] if len(level) % 2 else paired


def _hash_leaf(leaf: bytes) -> bytes:
    return keccak(_LEAF + leaf)


# The paths of a batch's payments climb through the same nodes: each is hashed once for all of them.
@lru_cache(maxsize=8192)
def _hash_node(left: bytes, right: bytes) -> bytes:
    return keccak(_NODE + left + right)
