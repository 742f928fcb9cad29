"""Decision trees over whole numbers, all walked at once.

Every tree has a word of 32 bits, one for each of its leaves from left to right. For a feature's value, the leaves that
its conditions rule out are one mask over the words of all trees. What all features leave of a tree's word begins with
the leaf that the tree comes to (the idea is that of QuickScorer, Lucchese and others, 2015).
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from operator import and_, getitem

WORD = 32
"""Bits of a tree: the most leaves that it may have."""

Tree = Sequence[Sequence[int]]
"""Five rows: of its nodes the feature, the threshold, the next node for at most that and for more; then the leaves'
values. A next node below zero is the leaf of that number's complement."""


class Trees:
    """Trees of whole numbers. Raises ValueError when one has too many leaves."""

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        self._bytes = WORD // 8 * len(trees)
        self._all, self._lowest = (1 << WORD * len(trees)) - 1, sum(1 << WORD * place for place in range(len(trees)))
        self._values = list[dict[int, int]]()
        ruled = [defaultdict[int, int](int) for _ in range(features)]
        for place, tree in enumerate(trees):
            leaves = _Leaves(tree)
            if len(leaves.values) > WORD:
                raise ValueError(f"a tree has {len(leaves.values)} leaves; {WORD} is the most")
            self._values.append({1 << leaf: value for leaf, value in enumerate(leaves.values)})
            for feature, threshold, low in leaves.ruled_out:
                ruled[feature][threshold] |= low << WORD * place
        self._features = [self._masks(place, masks) for place, masks in enumerate(ruled) if masks]

    def total(self, row: Sequence[int]) -> int:
        """The sum of the leaves that a row of features comes to."""
        left = self._all
        for feature, thresholds, masks in self._features:
            left &= masks[bisect_left(thresholds, row[feature])]
        first = left & ~(left - self._lowest)
        return sum(map(getitem, self._values, memoryview(first.to_bytes(self._bytes, sys.byteorder)).cast("I")))

    def _masks(self, feature: int, ruled: dict[int, int]) -> tuple[int, list[int], list[int]]:
        """A feature, its thresholds, and for each number of them that a value is above, the leaves that stay."""
        thresholds = sorted(ruled)
        stay = (self._all & ~ruled[threshold] for threshold in thresholds)
        return feature, thresholds, list(accumulate(stay, and_, initial=self._all))


class _Leaves:
    """A tree's leaves from left to right, and for each node which of them a value above the threshold rules out."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.values = list[int]()
        self.ruled_out = list[tuple[int, int, int]]()
        self._walk(0)

    def _walk(self, place: int) -> int:
        """Bits of the leaves under a node."""
        feature, threshold, low, high, values = self._tree
        if place < 0:
            self.values.append(values[~place])
            return 1 << len(self.values) - 1
        left = self._walk(low[place])
        self.ruled_out.append((feature[place], threshold[place], left))
        return left | self._walk(high[place])
