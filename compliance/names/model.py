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
from compliance.names.trees import Trees
from contracts.terms.errors import Malformed

SHIPPED_MODEL = Path(__file__).parent / "model.json"
_WORDS = ("vocabulary.toml", "scripts.toml")


@dataclass(frozen=True)
class Model:
    """`version` is a SHA-256 in hex: other content, other version."""

    version: str
    rarity: Mapping[str, Mapping[str, int]]
    trees: Trees
    steps: tuple[tuple[int, int], ...]
    """(sum of leaves, score in thousandths), both rising; between two of them a straight line."""

    def score(self, row: Sequence[int]) -> int:
        """Thousandths for what `features` found."""
        return self.calibrated(self.trees.total(row))

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
    steps = tuple((total, score) for total, score in content["steps"])
    return Model(checksum(content), content["rarity"], Trees(content["trees"], len(content["features"])), steps)


@cache
def shipped_model() -> Model:
    """The model that comes with the program, read once."""
    return load_model(SHIPPED_MODEL)
