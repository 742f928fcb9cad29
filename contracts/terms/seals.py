"""A block's seal: what a validator of the embedded chain signs, and who signed."""

from __future__ import annotations

from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address
from contracts.terms.signing import recover

_PREFIX = b"\x19Feiqian Seal:\n"


def seal_digest(chain_id: int, block_hash: bytes) -> bytes:
    """keccak("\\x19Feiqian Seal:\\n" || chain id as 32 bytes || block hash): what the sealer signs."""
    return keccak(_PREFIX + chain_id.to_bytes(32, "big") + block_hash)


def sealed_by(chain_id: int, block_hash: bytes, seal: bytes) -> Address:
    """The validator whose seal (65 bytes) this is. Raises BadSignature."""
    return recover(seal_digest(chain_id, block_hash), seal)
