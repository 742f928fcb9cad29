"""Proofs in Ethereum's hexary Merkle Patricia tries (yellow paper, appendix D), checked node by node.

Stricter than a look-up in a bag of nodes: every node given must be used, in order, so that a proof has one form.
"""

from __future__ import annotations

from collections.abc import Sequence

import rlp

from contracts.terms.commitments import keccak
from contracts.terms.errors import Malformed

EMPTY_ROOT = keccak(b"\x80")
_BRANCH_ITEMS, _PAIR_ITEMS, _VALUE = 17, 2, 16
_LEAF_FLAG, _ODD_FLAG = 2, 1

Node = Sequence[bytes | Sequence[bytes]]


def proven_value(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The value that the trie with this root holds for keccak(key), None if it provably holds none.

    `proof` is RLP nodes from the root down, as `eth_getProof` gives them. Raises Malformed if it proves neither.
    """
    if root == EMPTY_ROOT and not proof:
        return None
    nodes = list(proof)
    path = _nibbles(keccak(key))
    found = _descend(root, path, nodes)
    if nodes:
        raise Malformed("the proof has nodes that lead nowhere")
    return found


def _descend(reference: bytes | Sequence[bytes], path: Sequence[int], nodes: list[bytes]) -> bytes | None:
    while True:
        node = _resolve(reference, nodes)
        if len(node) == _BRANCH_ITEMS:
            if not path:
                return _value(node[_VALUE])
            reference, path = node[path[0]], path[1:]
        else:
            prefix, is_leaf = _read_prefix(node[0])
            if is_leaf:
                return _value(node[1]) if tuple(path) == prefix else None
            if not prefix or tuple(path[: len(prefix)]) != prefix:
                return None
            reference, path = node[1], path[len(prefix) :]
        if reference == b"":
            return None


def _resolve(reference: bytes | Sequence[bytes], nodes: list[bytes]) -> Node:
    """The node a reference stands for: a node under 32 bytes stands in its parent itself, any other is hashed."""
    if not isinstance(reference, bytes):
        return _shaped(reference)
    if not nodes:
        raise Malformed("the proof ends too early")
    encoded = nodes.pop(0)
    if keccak(encoded) != reference:
        raise Malformed("a node of the proof has not the hash that its parent names")
    try:
        return _shaped(rlp.decode(encoded, strict=True))
    except (rlp.exceptions.DecodingError, RecursionError) as failure:
        raise Malformed("a node of the proof is not RLP") from failure


def _shaped(node: object) -> Node:
    if not isinstance(node, Sequence) or isinstance(node, bytes) or len(node) not in (_BRANCH_ITEMS, _PAIR_ITEMS):
        raise Malformed("a node of the proof is neither branch, extension nor leaf")
    return node


def _read_prefix(encoded: bytes | Sequence[bytes]) -> tuple[tuple[int, ...], bool]:
    """Hex-prefix encoding (appendix C): the nibbles, and whether they end in a leaf."""
    if not isinstance(encoded, bytes) or not encoded or encoded[0] >> 4 > _LEAF_FLAG + _ODD_FLAG:
        raise Malformed("a node of the proof has no hex prefix")
    flag, nibbles = encoded[0] >> 4, _nibbles(encoded)
    return nibbles[1:] if flag & _ODD_FLAG else nibbles[2:], bool(flag & _LEAF_FLAG)


def _value(item: bytes | Sequence[bytes]) -> bytes | None:
    if not isinstance(item, bytes):
        raise Malformed("a value in the proof is not a byte string")
    return item or None


def _nibbles(data: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))
