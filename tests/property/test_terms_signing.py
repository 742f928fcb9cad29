"""Signatures: what was signed is recovered to its signer, and nothing else passes or crashes."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms.errors import BadSignature
from contracts.terms.seals import seal_digest, sealed_by
from contracts.terms.signing import HALF_ORDER, LocalSigner, recover

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEYS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
DIGESTS = st.binary(min_size=32, max_size=32)


def twin(signature: bytes) -> bytes:
    """The other signature of the same digest by the same key: s -> n - s, v flipped (EIP-2 forbids it)."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@given(KEYS, DIGESTS)
def test_the_signer_is_recovered_and_is_the_one_that_eth_account_knows(key: bytes, digest: bytes) -> None:
    signer = LocalSigner(key)
    signature = signer.sign(digest)
    assert recover(digest, signature) == signer.address == Account.from_key(key).address.lower()
    assert signature == Account.unsafe_sign_hash(digest, key).signature


@given(KEYS, DIGESTS)
def test_a_signature_has_no_malleable_twin(key: bytes, digest: bytes) -> None:
    signature = LocalSigner(key).sign(digest)
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    with pytest.raises(BadSignature, match="upper half"):
        recover(digest, twin(signature))
    for v in {*range(256)} - {27, 28}:
        with pytest.raises(BadSignature):
            recover(digest, signature[:64] + bytes([v]))


@given(KEYS, DIGESTS, st.integers(0, 63), st.integers(1, 255))
def test_an_altered_signature_is_not_the_signers(key: bytes, digest: bytes, place: int, flip: int) -> None:
    signature = bytearray(LocalSigner(key).sign(digest))
    signature[place] ^= flip
    try:
        assert recover(digest, bytes(signature)) != LocalSigner(key).address
    except BadSignature:
        return


@given(st.binary(max_size=70) | st.binary(min_size=64, max_size=64).map(lambda raw: raw + b"\x1b"), DIGESTS)
def test_random_bytes_are_somebodys_signature_or_refused(signature: bytes, digest: bytes) -> None:
    try:
        assert len(recover(digest, signature)) == 42
    except BadSignature:
        return


@pytest.mark.parametrize("r", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, HALF_ORDER])
def test_impossible_points_are_refused(r: int, s: int) -> None:
    for v in (27, 28):
        with pytest.raises(BadSignature):
            recover(b"\1" * 32, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v]))


def test_a_signer_shows_its_address_and_never_its_key() -> None:
    key = bytes(range(1, 33))
    shown = repr(LocalSigner(key)) + str(LocalSigner(key))
    assert LocalSigner(key).address in shown
    assert key.hex() not in shown
    assert repr(key) not in shown


@given(KEYS, DIGESTS, st.integers(1, 2**63))
def test_a_seal_is_its_sealers_on_its_chain_alone(key: bytes, block_hash: bytes, chain_id: int) -> None:
    sealer = LocalSigner(key)
    seal = sealer.sign(seal_digest(chain_id, block_hash))
    assert sealed_by(chain_id, block_hash, seal) == sealer.address
    assert sealed_by(chain_id + 1, block_hash, seal) != sealer.address
