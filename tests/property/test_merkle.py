"""The Merkle tree: each leaf is provable at its own place and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms.commitments import keccak
from contracts.terms.merkle import InclusionPath, MerkleTree, includes, root_of

HASHES = st.binary(min_size=32, max_size=32)
LEAVES = st.lists(HASHES, min_size=1, max_size=40, unique=True)


def numbered(count: int) -> list[bytes]:
    return [keccak(number.to_bytes(4, "big")) for number in range(count)]


@st.composite
def leaf_of_tree(draw: st.DrawFn) -> tuple[list[bytes], int]:
    leaves = draw(LEAVES)
    return leaves, draw(st.integers(0, len(leaves) - 1))


@pytest.mark.parametrize("count", [*range(1, 34), 63, 64, 65, 127, 1000])
def test_every_leaf_is_included_at_its_index(count: int) -> None:
    leaves = numbered(count)
    tree = MerkleTree(leaves)
    for index, leaf in enumerate(leaves):
        assert includes(tree.root, leaf, tree.path(index))


@pytest.mark.parametrize("count", range(1, 18))
def test_no_leaf_is_included_at_another_index_or_count(count: int) -> None:
    leaves = numbered(count)
    tree = MerkleTree(leaves)
    for index, leaf in enumerate(leaves):
        path = tree.path(index)
        for other in range(count + 2):
            assert includes(tree.root, leaf, replace(path, index=other)) is (other == index)


@given(leaf_of_tree(), HASHES)
def test_another_leaf_is_refused(tree_and_index: tuple[list[bytes], int], other: bytes) -> None:
    leaves, index = tree_and_index
    tree = MerkleTree(leaves)
    assert includes(tree.root, other, tree.path(index)) is (other == leaves[index])


@given(leaf_of_tree(), st.data())
def test_a_changed_path_is_refused(tree_and_index: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, index = tree_and_index
    tree = MerkleTree(leaves)
    path = tree.path(index)
    siblings = list(path.siblings)
    change = data.draw(st.sampled_from(["append", "drop", "flip"] if siblings else ["append"]))
    if change == "append":
        siblings.append(data.draw(HASHES))
    else:
        place = data.draw(st.integers(0, len(siblings) - 1))
        dropped = siblings.pop(place)
        if change == "flip":
            siblings.insert(place, bytes([dropped[0] ^ 1]) + dropped[1:])
    assert not includes(tree.root, leaves[index], replace(path, siblings=tuple(siblings)))


@given(st.lists(HASHES, min_size=1, max_size=20), st.lists(HASHES, min_size=1, max_size=20))
def test_each_list_has_its_own_root(left: list[bytes], right: list[bytes]) -> None:
    assert (root_of(left) == root_of(right)) is (left == right)


@pytest.mark.parametrize("count", range(1, 18))
def test_repeating_the_last_leaf_changes_the_root(count: int) -> None:
    """The classic flaw of trees that pair an odd node with itself (Bitcoin, CVE-2012-2459)."""
    leaves = numbered(count)
    assert root_of(leaves) != root_of([*leaves, leaves[-1]])


def test_an_inner_node_is_no_leaf() -> None:
    leaves = numbered(4)
    tree = MerkleTree(leaves)
    left, right = tree.path(0).siblings[0], tree.path(1).siblings[0]
    upper = tree.path(0).siblings[1]
    for inner in (right + left, keccak(right + left), keccak(b"\x01" + right + left), upper):
        assert not includes(tree.root, inner, InclusionPath(0, 2, (upper,)))
        assert not includes(tree.root, inner, InclusionPath(0, 4, (left, upper)))


@pytest.mark.parametrize("index", [-1, 3, 4, 2**40])
def test_an_index_outside_the_list_is_refused(index: int) -> None:
    leaves = numbered(3)
    tree = MerkleTree(leaves)
    assert not includes(tree.root, leaves[2], replace(tree.path(2), index=index))
