"""The model file: whole, of this program, or refused in one line; and its figures are whole numbers."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from compliance.names.features import FEATURES
from compliance.names.match import SAME_WORDS, NameIndex
from compliance.names.model import SHIPPED_MODEL, checksum, load_model, shipped_model, words_checksum
from compliance.names.trees import WORD, Trees
from contracts.terms.errors import Malformed


def written(folder: Path, text: str) -> Path:
    path = folder / "model.json"
    path.write_text(text)
    return path


def test_the_shipped_model_is_of_this_vocabulary_and_says_its_version() -> None:
    model = load_model(SHIPPED_MODEL)
    document = json.loads(SHIPPED_MODEL.read_text())
    assert document["model"]["words"] == words_checksum()
    assert model.version == document["checksum"] == checksum(document["model"]) == NameIndex([]).version


@pytest.mark.parametrize("at", [0.01, 0.3, 0.6, 0.99])
def test_a_changed_byte_is_refused(tmp_path: Path, at: float) -> None:
    text = SHIPPED_MODEL.read_text()
    place = next(i for i in range(int(at * len(text)), len(text)) if text[i].isdigit())
    changed = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
    with pytest.raises(Malformed, match="install the program anew"):
        load_model(written(tmp_path, changed))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"model": 1}', SHIPPED_MODEL.read_text()[:-100]])
def test_a_cut_model_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Malformed, match="install the program anew"):
        load_model(written(tmp_path, text))


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        load_model(tmp_path / "model.json")


@pytest.mark.parametrize("part", [{"words": "0" * 64}, {"features": ["one"]}])
def test_a_model_for_another_program_is_refused(tmp_path: Path, part: dict[str, Any]) -> None:
    content = json.loads(SHIPPED_MODEL.read_text())["model"] | part
    with pytest.raises(Malformed, match="another vocabulary"):
        load_model(written(tmp_path, json.dumps({"checksum": checksum(content), "model": content})))


def test_scores_are_whole_thousandths_and_rise_with_the_sum() -> None:
    model = shipped_model()
    scores = [model.calibrated(total) for total in range(-100_000, 100_000, 50)]
    assert all(type(score) is int and 0 <= score <= SAME_WORDS for score in scores)
    assert scores == sorted(scores)
    assert type(model.score([0] * len(FEATURES))) is int


def test_trees_walked_at_once_come_to_the_leaves_that_each_one_comes_to() -> None:
    content = json.loads(SHIPPED_MODEL.read_text())["model"]
    dice, trees = random.Random(1), Trees(content["trees"], len(FEATURES))
    for most in (3, 120, 1_000) * 100:
        row = [dice.randint(-1, most) for _ in FEATURES]
        assert trees.total(row) == sum(walked(tree, row) for tree in content["trees"])


def walked(tree: list[list[int]], row: list[int]) -> int:
    """One tree, node by node."""
    feature, threshold, low, high, values = tree
    place = 0
    while place >= 0:
        place = (low if row[feature[place]] <= threshold[place] else high)[place]
    return values[~place]


def test_a_tree_of_too_many_leaves_is_refused() -> None:
    nodes = list(range(WORD))
    tree = [[0] * WORD, nodes, [~place for place in nodes], [*nodes[1:], ~WORD], list(range(WORD + 1))]
    with pytest.raises(ValueError, match="33 leaves"):
        Trees([tree], 1)
