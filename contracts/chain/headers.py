"""Final blocks: what a block header says, and the check that the network's validators sealed it. Needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp

from contracts.terms.commitments import keccak
from contracts.terms.errors import BadSignature, Malformed
from contracts.terms.identifiers import Address
from contracts.terms.seals import sealed_by

_PARENT_HASH, _STATE_ROOT, _NUMBER, _TIMESTAMP = 0, 3, 8, 11


@dataclass(frozen=True)
class Header:
    """What we use of a block header; hashes are 32 bytes, `timestamp` is in seconds."""

    number: int
    block_hash: bytes
    parent_hash: bytes
    state_root: bytes
    timestamp: int


def read_header(encoded: bytes) -> Header:
    """The header in RLP (Ethereum yellow paper, 4.4). Raises Malformed."""
    try:
        fields = rlp.decode(encoded, strict=True)
        return Header(
            number=int.from_bytes(fields[_NUMBER], "big"),
            block_hash=keccak(encoded),
            parent_hash=_hash(fields[_PARENT_HASH]),
            state_root=_hash(fields[_STATE_ROOT]),
            timestamp=int.from_bytes(fields[_TIMESTAMP], "big"),
        )
    except (rlp.exceptions.DecodingError, IndexError, TypeError) as failure:
        raise Malformed("this is not a block header in RLP") from failure


def verify_seals(encoded: bytes, seals: Sequence[bytes], chain_id: int, validators: Sequence[Address]) -> Header:
    """The header, if more than two thirds of the validators sealed it. Raises BadSignature or Malformed."""
    header = read_header(encoded)
    sealers = {sealed_by(chain_id, header.block_hash, seal) for seal in seals}
    if strangers := sealers - set(validators):
        raise BadSignature(f"block {header.number} is sealed by {min(strangers)}, who is no validator")
    if 3 * len(sealers) <= 2 * len(validators):
        raise BadSignature(
            f"block {header.number} has seals of {len(sealers)} of {len(validators)} validators: too few"
        )
    return header


def _hash(field: object) -> bytes:
    if not isinstance(field, bytes) or len(field) != 32:
        raise Malformed("this is not a block header: a hash has not 32 bytes")
    return field
