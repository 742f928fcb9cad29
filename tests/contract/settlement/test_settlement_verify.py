"""verify: other contracts may rely on a payment. The tree is that of contracts/terms/merkle.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.terms.commitments import keccak
from contracts.terms.merkle import InclusionPath, MerkleTree, includes

CNY = 156


def leaves(count: int) -> list[bytes]:
    return [keccak(number.to_bytes(4, "big")) for number in range(count)]


def settled(stage, count: int, **changes: object):
    """A settled batch of `count` payments, with its tree."""
    tree = MerkleTree(leaves(count))
    batch = stage.batch(payments_root=tree.root, payment_count=count, **changes)
    stage.settle(stage.endorse(batch))
    return batch, tree


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33])
def test_each_payment_is_found_at_its_place_only(stage, count):
    batch, tree = settled(stage, count)
    for index, leaf in enumerate(leaves(count)):
        assert stage.settlement.verify(batch, leaf, tree.path(index))
        assert not stage.settlement.verify(batch, leaf, tree.path((index + 1) % count)) or count == 1
        assert not stage.settlement.verify(batch, keccak(leaf), tree.path(index))


@pytest.mark.parametrize("index", [1, 2, 2**32 - 1])
def test_only_payment_of_a_batch_stands_at_the_first_place(stage, index):
    """Its tree is the leaf alone, so that no sibling says where it stands."""
    batch, tree = settled(stage, 1)
    assert stage.settlement.verify(batch, leaves(1)[0], tree.path(0))
    assert not stage.settlement.verify(batch, leaves(1)[0], replace(tree.path(0), index=index))


def test_largest_day_is_found(stage):
    batch, tree = settled(stage, 10_000)
    for index in (0, 1, 4_999, 8_191, 8_192, 9_998, 9_999):
        assert stage.settlement.verify(batch, leaves(10_000)[index], tree.path(index))


def wrong_paths(path: InclusionPath) -> dict[str, InclusionPath]:
    siblings = path.siblings
    return {
        "another place": replace(path, index=path.index - 1),
        "no place": replace(path, index=path.count),
        "far off": replace(path, index=2**32 - 1),
        "sibling missing": replace(path, siblings=siblings[:-1]),
        "first missing": replace(path, siblings=siblings[1:]),
        "sibling too many": replace(path, siblings=(*siblings, bytes(32))),
        "order": replace(path, siblings=siblings[::-1]),
        "none": replace(path, siblings=()),
        "thirty-two": replace(path, siblings=siblings + (bytes(32),) * (32 - len(siblings))),
    }


@pytest.mark.parametrize("count", [5, 8])
def test_wrong_proof_is_false(stage, count):
    batch, tree = settled(stage, count)
    path, leaf = tree.path(3), leaves(count)[3]
    assert stage.settlement.verify(batch, leaf, path)
    for name, wrong in wrong_paths(path).items():
        assert not stage.settlement.verify(batch, leaf, wrong), name
        assert not includes(batch.payments_root, leaf, replace(wrong, count=count)), name


def test_inner_node_is_no_payment(stage):
    """Two payments' node, passed off as a leaf of a tree half as deep."""
    first, second = leaves(2)
    node = keccak(b"\x01" + keccak(b"\x00" + first) + keccak(b"\x00" + second))
    batch, tree = settled(stage, 4)
    upper = InclusionPath(0, 2, tree.path(0).siblings[1:])
    assert not stage.settlement.verify(batch, node, upper)
    assert not stage.settlement.verify(replace(batch, payment_count=2), node, upper)


def test_batch_that_did_not_settle_proves_nothing(stage):
    tree = MerkleTree(leaves(3))
    batch = stage.batch(payments_root=tree.root, payment_count=3)
    assert not stage.settlement.verify(batch, leaves(3)[0], tree.path(0))
    stage.settle(stage.endorse(batch))
    assert stage.settlement.verify(batch, leaves(3)[0], tree.path(0))


@pytest.mark.parametrize(
    "change",
    [
        {"payments_root": MerkleTree(leaves(3)[::-1]).root},
        {"payment_count": 4},
        {"sequence": 1},
        {"lane": 1},
        {"deadline": 1},
        {"positions": ()},
        {"members": ()},
        {"debtor_agent": "0x" + "1" * 40},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_of_the_batch_is_that_of_the_settled_one(stage, change):
    batch, tree = settled(stage, 3)
    assert stage.settlement.verify(batch, leaves(3)[1], tree.path(1))
    assert not stage.settlement.verify(replace(batch, **change), leaves(3)[1], tree.path(1))
