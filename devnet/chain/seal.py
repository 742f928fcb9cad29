"""A validator's signature on a block.

    digest = keccak256(0x19 "Feiqian Seal:\\n" || chain id as 32 bytes, big endian || block hash)
    seal   = r || s || v, 65 bytes, v 27 or 28 (secp256k1)

The leading 0x19 keeps a seal from ever being a transaction's signature (EIP-191), the chain id from counting
on another chain.
"""

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

PREFIX = b"\x19Feiqian Seal:\n"


def seal_digest(chain_id: int, block_hash: bytes) -> bytes:
    """The 32 bytes a validator signs for one block of one chain."""
    return bytes(keccak(PREFIX + chain_id.to_bytes(32, "big") + block_hash))


def recover_sealer(seal: bytes, chain_id: int, block_hash: bytes) -> bytes:
    """The 20-byte address that made a seal; ValueError if it is no signature at all."""
    if len(seal) != 65 or seal[64] not in (27, 28):
        raise ValueError("a seal is 65 bytes with v 27 or 28")
    compact = seal[:64] + bytes([seal[64] - 27])
    try:
        public = PublicKey.from_signature_and_message(compact, seal_digest(chain_id, block_hash), hasher=None)
    except Exception as error:  # coincurve raises a bare Exception for an unrecoverable signature
        raise ValueError("not a signature") from error
    return _address(public)


class Sealer:
    """Signs blocks with one validator's key (32 bytes)."""

    def __init__(self, key: bytes, chain_id: int) -> None:
        self._key = PrivateKey(key)
        self._chain_id = chain_id
        self.address = _address(self._key.public_key)

    def seal(self, block_hash: bytes) -> bytes:
        """The 65-byte seal of a block."""
        compact = self._key.sign_recoverable(seal_digest(self._chain_id, block_hash), hasher=None)
        return compact[:64] + bytes([compact[64] + 27])


def _address(public: PublicKey) -> bytes:
    return bytes(keccak(public.format(compressed=False)[1:])[12:])
