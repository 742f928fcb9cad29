"""Merkle Patricia proofs, against the `trie` library's tries."""

from __future__ import annotations

import contextlib

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from audit.tries import EMPTY_ROOT, proven_value
from contracts.terms.commitments import keccak
from contracts.terms.errors import Malformed

KEYS = st.binary(min_size=1, max_size=4)
# Short values make nodes under 32 bytes, which stand inside their parents.
VALUES = st.binary(min_size=1, max_size=3) | st.binary(min_size=30, max_size=80)
CONTENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=30)


def build(content: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in content.items():
        trie[keccak(key)] = value
    return trie


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    nodes = [rlp.encode(node) for node in trie.get_proof(keccak(key))]
    return [node for depth, node in enumerate(nodes) if depth == 0 or len(node) >= 32]


@given(CONTENTS, KEYS)
def test_a_proof_shows_the_value_or_that_there_is_none(content: dict[bytes, bytes], asked: bytes) -> None:
    trie = build(content)
    for key in (*content, asked):
        assert proven_value(trie.root_hash, key, proof_of(trie, key)) == content.get(key)


@given(CONTENTS, st.data())
def test_any_other_proof_is_refused(content: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = build(content)
    key = data.draw(st.sampled_from(sorted(content)))
    proof = proof_of(trie, key)
    place = data.draw(st.integers(0, len(proof) - 1))
    byte = data.draw(st.integers(0, len(proof[place]) - 1))
    flipped = bytearray(proof[place])
    flipped[byte] ^= data.draw(st.integers(1, 255))
    for other in (
        proof[:place] + proof[place + 1 :],
        [*proof, proof[place]],
        [*proof[:place], bytes(flipped), *proof[place + 1 :]],
    ):
        with pytest.raises(Malformed):
            proven_value(trie.root_hash, key, other)


def test_an_empty_trie_holds_nothing() -> None:
    assert HexaryTrie({}).root_hash == EMPTY_ROOT
    assert proven_value(EMPTY_ROOT, b"key", []) is None


@given(st.binary(max_size=200))
def test_any_bytes_that_hash_right_are_read_or_refused(encoded: bytes) -> None:
    """A dishonest chain could commit to any node; the auditor must not fall over it."""
    with contextlib.suppress(Malformed):
        proven_value(keccak(encoded), b"key", [encoded])
