"""Trains the model and writes `compliance/names/model.json`: `python -m tests.names.train`.

Needs lightgbm (not installed with the project: `pip install lightgbm==4.7.0`) and the shared data. The same data gives
the same file.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from compliance.lists.entries import ListEntry
from compliance.names.align import compare
from compliance.names.features import FEATURES, features
from compliance.names.model import SHIPPED_MODEL, checksum, read_model, words_checksum
from compliance.names.search import Compared, ListedNames, least_reported
from compliance.names.written import MINOR, WEIGHT, Writing
from tests.names import sources
from tests.names.alphabets import arabic, cyrillic, han, hangul
from tests.names.spoil import another, initialled, neighbour, numbered, spoil

SEED = 20261129
LEAF_UNIT = 10_000
_LEAST_SEEN = 2
NEIGHBOURS = 0.8
"""What a made-up neighbour counts: a name on no list is rarely one letter away."""

_OTHERS = 5
"""Names of other parties that each query teaches."""


Row = tuple[list[int], int, float]
"""Features, whether the names are the same party's, weight."""


def rarity() -> dict[str, dict[str, int]]:
    """How much each word says, per kind, from how often the training data has it."""
    counts: dict[str, Counter[str]] = {"person": Counter(), "organization": Counter()}
    writing = Writing({"person": {}, "organization": {}})
    names = [(name, entry.kind) for entry in sources.ofac_2019() for name in (entry.name, *entry.aliases)]
    names += [(customer.name, "person") for customer in sources.customers(training=True)]
    for name, kind in names:
        for reading in writing.read(name, kind)[:1]:
            counts[kind].update({word.fold for word in reading.words if word.role != MINOR})
    return {
        kind: {
            fold: max(12, WEIGHT - round(11 * math.log2(count)))
            for fold, count in sorted(found.items())
            if count >= _LEAST_SEEN
        }
        for kind, found in counts.items()
    }


class Lessons:
    """Rows to learn from, made with one seed."""

    def __init__(self, writing: Writing) -> None:
        self._dice = random.Random(SEED)
        self._writing = writing
        self._entries = sources.ofac_2019()
        self._listed = ListedNames(self._entries, writing)
        self._un = ListedNames(sources.un_entries(), writing)
        self._pools = {
            kind: [name for entry in self._entries if entry.kind == kind for name in (entry.name, *entry.aliases)]
            for kind in ("person", "organization")
        }

    def rows(self) -> Iterator[Row]:
        yield from self._spoiled()
        yield from self._aliases()
        yield from self._scripts()
        yield from self._strangers()
        yield from self._others()

    def _spoiled(self) -> Iterator[Row]:
        for entry in self._entries:
            for name in (entry.name, *self._dice.sample(entry.aliases, min(1, len(entry.aliases)))):
                for _ in range(1 + (name == entry.name)):
                    if spoiled := spoil(name, entry.kind, self._dice):
                        yield from self._query(spoiled, entry, self._listed, 1.0)

    def _aliases(self) -> Iterator[Row]:
        for entry in self._entries:
            for name in self._dice.sample(entry.aliases, min(2, len(entry.aliases))):
                yield from self._query(name, entry, self._listed, 1.0, but=name)

    def _scripts(self) -> Iterator[Row]:
        persons = [entry for entry in self._entries if entry.kind == "person"]
        for entry in persons:
            for write, weight in ((cyrillic, 0.5), (arabic, 0.3), (hangul, 3.0), (han, 1.0)):
                if write is cyrillic and self._dice.random() > 0.5:
                    continue
                if written := write(entry.name, self._dice):
                    yield from self._query(written, entry, self._listed, weight)
        known = {entry.entry_id: entry for entry in sources.un_entries()}
        for reference, original in sources.un_scripts(training=True):
            yield from self._query(original, known[reference], self._un, 6.0)

    def _strangers(self) -> Iterator[Row]:
        """Customers of the training part, as they are written and spoiled, beside what resembles them most."""
        for customer in sources.customers(training=True):
            yield from self._query(customer.name, None, self._listed, 1.0)
            if self._dice.random() < 0.3 and (spoiled := spoil(customer.name, "person", self._dice)):
                yield from self._query(spoiled, None, self._listed, 1.0)

    def _others(self) -> Iterator[Row]:
        """Names that share words with a listed one and are another party's."""
        for entry in self._entries:
            for _ in range(2):
                other = another(entry.name, self._pools[entry.kind], self._dice)
                if other and other != entry.name:
                    yield from self._pair(other, entry.name, entry.kind, 0, 1.0)
                    if self._dice.random() < 0.3 and (spoiled := spoil(other, entry.kind, self._dice)):
                        yield from self._pair(spoiled, entry.name, entry.kind, 0, 1.0)
            if near := neighbour(entry.name, self._pools[entry.kind], self._dice):
                yield from self._pair(near, entry.name, entry.kind, 0, NEIGHBOURS)
            if self._dice.random() < 0.2:
                made = numbered if entry.kind == "organization" else initialled
                yield from self._pair(*made(entry.name, self._dice), entry.kind, 0, 1.0)

    def _query(
        self, name: str, entry: ListEntry | None, listed: ListedNames, weight: float, but: str = ""
    ) -> Iterator[Row]:
        kind = entry.kind if entry else "person"
        near = listed.near(name, kind)
        same = [each for each in near if each.listed.entry is entry and each.listed.name != but]
        if same:
            best = max(same, key=_coverage)
            yield features(best.alignment, kind), 1, weight
        for each in [each for each in near if each.listed.entry is not entry][:_OTHERS]:
            yield features(each.alignment, kind), 0, min(weight, 1.0)

    def _pair(self, one: str, other: str, kind: str, same: int, weight: float) -> Iterator[Row]:
        for asked in self._writing.read(one, kind)[:1]:
            for listed in self._writing.read(other, kind)[:1]:
                yield features(compare(asked, listed), kind), same, weight


def _coverage(each: Compared) -> int:
    row = features(each.alignment, each.listed.entry.kind)
    return row[2] + row[3]


_RISING = ("asked_covered", "listed_covered", "worst_alike", "letters_alike", "sounds_alike")
_FALLING = ("asked_heaviest_missing", "listed_heaviest_missing", "asked_missing", "listed_missing", "numbers")


def learn(rows: list[Row]) -> list[Any]:
    import lightgbm
    import numpy

    data = lightgbm.Dataset(
        numpy.array([row for row, _, _ in rows], dtype=numpy.float64),
        label=[same for _, same, _ in rows],
        weight=[weight for _, _, weight in rows],
        feature_name=list(FEATURES),
    )
    settings = {
        "objective": "binary",
        "learning_rate": 0.1,
        "num_leaves": LEAVES,
        "min_data_in_leaf": 60,
        "lambda_l2": 5.0,
        "deterministic": True,
        "num_threads": 1,
        "force_row_wise": True,
        "verbose": -1,
        "max_depth": 7,
        "monotone_constraints": [(name in _RISING) - (name in _FALLING) for name in FEATURES],
    }
    booster = lightgbm.train(settings, data, num_boost_round=TREES)
    gains = sorted(zip(booster.feature_importance("gain"), FEATURES, strict=True), reverse=True)
    print([(name, round(gain)) for gain, name in gains])
    return [_tree(each["tree_structure"]) for each in booster.dump_model()["tree_info"]]


def steps(words: dict[str, dict[str, int]], trees: list[Any]) -> list[list[int]]:
    """What score a sum of leaves is: set by how many customers of the training part resemble a person of a whole list
    that much. Organisations that are on no list are not at hand, so theirs is the same."""
    model = read_model({"features": FEATURES, "rarity": words, "trees": trees, "steps": []})
    listed = ListedNames(sources.ofac_2026(), Writing(words))
    totals = []
    for customer in sources.customers(training=True)[::3]:
        near = [each for each in listed.near(customer.name, "person") if each.listed.entry.kind == "person"]
        near = [each for each in near if each.shared >= least_reported(each.alignment.asked)] or near
        totals.append(max((model.trees.total(features(each.alignment, "person")) for each in near), default=-SURE))
    totals.sort(reverse=True)
    held = [[totals[int(share * len(totals))], score] for share, score in SHARES]
    return [[-SURE, 0], *held, [SURE, 1000]]


TREES, LEAVES = 120, 32
SURE = 80_000
"""A sum of leaves beyond which nothing changes."""

SHARES = ((0.5, 300), (0.1, 600), (0.03, 800), (0.006, 880))
"""Of customers on no list, the share that reaches a score against the list of 2026."""


def _tree(root: dict[str, Any]) -> list[list[int]]:
    """A tree of lightgbm as the five rows of `model.py`: thresholds and leaves become whole numbers."""
    feature, threshold, low, high, values = list[int](), list[int](), list[int](), list[int](), list[int]()

    def add(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            values.append(round(node["leaf_value"] * LEAF_UNIT))
            return ~(len(values) - 1)
        place = len(feature)
        feature.append(node["split_feature"])
        threshold.append(math.floor(node["threshold"]))
        low.append(0)
        high.append(0)
        low[place] = add(node["left_child"])
        high[place] = add(node["right_child"])
        return place

    if add(root) < 0:
        return [[0], [0], [~0], [~0], values]
    return [feature, threshold, low, high, values]


def main() -> None:
    words = rarity()
    rows = list(Lessons(Writing(words)).rows())
    print(f"{len(rows)} rows, {sum(same for _, same, _ in rows)} of the same party")
    content = {
        "features": list(FEATURES),
        "rarity": words,
        "trees": learn(rows),
        "words": words_checksum(),
    }
    content["steps"] = steps(words, content["trees"])
    read_model(content)
    SHIPPED_MODEL.write_text(
        json.dumps({"checksum": checksum(content), "model": content}, separators=(",", ":")) + "\n"
    )
    print(f"{SHIPPED_MODEL.name}: {SHIPPED_MODEL.stat().st_size} bytes")


if __name__ == "__main__":
    main()
