"""Signing and recovering with secp256k1, and the one port through which every key is used."""

from __future__ import annotations

from typing import Protocol

from coincurve import PrivateKey, PublicKey

from contracts.terms.commitments import keccak
from contracts.terms.errors import BadSignature
from contracts.terms.identifiers import Address

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Signer(Protocol):
    """A key that signs 32-byte digests; where it lives (keystore, HSM, remote signer) is its own affair."""

    @property
    def address(self) -> Address: ...

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r || s || v, with low s (EIP-2) and v 27 or 28."""
        ...


class LocalSigner:
    """A signer whose 32-byte private key is in this process's memory."""

    def __init__(self, private_key: bytes) -> None:
        self._key = PrivateKey(private_key)
        self.address: Address = _address_of(self._key.public_key)

    def sign(self, digest: bytes) -> bytes:
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"


def recover(digest: bytes, signature: bytes) -> Address:
    """The address whose key signed `digest`. Raises BadSignature, also for a high s (malleable, EIP-2)."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise BadSignature("a signature is 65 bytes: r, s and v (27 or 28)")
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise BadSignature("the signature's s is in the upper half of the order")
    compact = signature[:64] + bytes([signature[64] - 27])
    try:
        return _address_of(PublicKey.from_signature_and_message(compact, digest, hasher=None))
    except Exception as failure:  # coincurve raises bare Exception and ValueError for an impossible point
        raise BadSignature("the signature belongs to no key") from failure


def _address_of(public_key: PublicKey) -> Address:
    return "0x" + keccak(public_key.format(compressed=False)[1:])[-20:].hex()
