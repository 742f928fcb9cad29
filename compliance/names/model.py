"""The trained model: decision trees over whole numbers, so that every machine comes to the same score.

`model.json` is made by `python -m tests.names.train` and is the only thing that was learnt. It is refused when a byte
of it has changed, or when it was trained with another vocabulary: then the service does not start (fail closed).
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from compliance.names.features import FEATURES
from contracts.terms.errors import Malformed

SHIPPED_MODEL = Path(__file__).parent / "model.json"
NEVER = -1_000_000_000
_WORDS = ("vocabulary.toml", "scripts.toml")

Node = int | tuple[int, int, "Node", "Node"]
"""A leaf's value; or a feature, a threshold, and the nodes for a feature of at most that and of more."""


@dataclass(frozen=True)
class Model:
    """`version` is a SHA-256 in hex: other content, other version."""

    version: str
    rarity: Mapping[str, Mapping[str, int]]
    trees: tuple[tuple[Node, int], ...]
    """Each with the most that all trees after it can add."""
    steps: tuple[tuple[int, int], ...]
    """(sum of leaves, score in thousandths), both rising; between two of them a straight line."""

    def score(self, row: Sequence[int], needed: int = NEVER) -> int:
        """Thousandths for what `features` found; of less than `needed` leaves only that it is less."""
        return self.calibrated(self.total(row, needed))

    def total(self, row: Sequence[int], needed: int = NEVER) -> int:
        """What all trees say together; when that cannot reach `needed` any more, something less than `needed`."""
        total = 0
        for tree, rest in self.trees:
            node = tree
            while not isinstance(node, int):
                feature, threshold, low, high = node
                node = low if row[feature] <= threshold else high
            total += node
            if total + rest < needed:
                return total + rest
        return total

    def needed(self, score: int) -> int:
        """A sum of leaves below which the score is less than this one."""
        before = [total for total, known in self.steps if known <= score]
        return max(before, default=NEVER)

    def calibrated(self, total: int) -> int:
        """Thousandths for a sum of leaves."""
        place = bisect_right(self.steps, (total, 1001))
        if place == 0:
            return self.steps[0][1]
        if place == len(self.steps):
            return self.steps[-1][1]
        (low, least), (high, most) = self.steps[place - 1 : place + 1]
        return least + (total - low) * (most - least) // (high - low)


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 of a model's content, in hex."""
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()


def words_checksum() -> str:
    """SHA-256 of the vocabulary and the tables of scripts, in hex."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in _WORDS)).hexdigest()


def load_model(path: Path) -> Model:
    """Read a model. Raises Malformed in one line when it is damaged or was not made for this program."""
    try:
        document = json.loads(path.read_bytes())
        content, told = document["model"], document["checksum"]
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise Malformed(f"model {path}: it cannot be read ({failure}); install the program anew") from failure
    if checksum(content) != told:
        raise Malformed(f"model {path}: it is damaged, its checksum is another; install the program anew")
    if content["words"] != words_checksum() or tuple(content["features"]) != FEATURES:
        raise Malformed(
            f"model {path}: it was trained with another vocabulary; train it anew (compliance/names/MODEL.md)"
        )
    return read_model(content)


def read_model(content: Mapping[str, Any]) -> Model:
    """A model from the content of its file."""
    trees = [_node(tree, 0) for tree in content["trees"]]
    most = [max(values) for *_, values in content["trees"]]
    rest = [sum(most[place + 1 :]) for place in range(len(most))]
    steps = tuple((total, score) for total, score in content["steps"])
    return Model(checksum(content), content["rarity"], tuple(zip(trees, rest, strict=True)), steps)


def _node(tree: Sequence[Sequence[int]], place: int) -> Node:
    """A tree of the file has five rows: of its nodes the feature, the threshold, the next node for at most that and for
    more; then the leaves' values. A next node below zero is the leaf of that number's complement."""
    feature, threshold, low, high, values = tree
    if place < 0:
        return values[~place]
    return feature[place], threshold[place], _node(tree, low[place]), _node(tree, high[place])


@cache
def shipped_model() -> Model:
    """The model that comes with the program, read once."""
    return load_model(SHIPPED_MODEL)
