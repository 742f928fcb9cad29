"""Co-signed batches with one thing wrong."""

from __future__ import annotations

from dataclasses import replace

from contracts.terms.batch import Position, SignedBatch

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group of secp256k1 (SEC 2, section 2.4.1)."""


def first_changed(signed: SignedBatch, **changes: object) -> SignedBatch:
    """The batch with its first member's endorsement changed."""
    changed = replace(signed.endorsements[0], **changes)  # type: ignore[arg-type]
    return replace(signed, endorsements=(changed, *signed.endorsements[1:]))


def unendorsed(signed: SignedBatch, **changes: object) -> SignedBatch:
    """The batch changed after all its members endorsed it."""
    return replace(signed, batch=replace(signed.batch, **changes))  # type: ignore[arg-type]


def moved(positions: tuple[Position, ...], index: int, by: int) -> tuple[Position, ...]:
    """The positions with one of them changed by an amount."""
    changed = replace(positions[index], delta=positions[index].delta + by)
    return (*positions[:index], changed, *positions[index + 1 :])


def high_s(signature: bytes) -> bytes:
    """The other form of the same ECDSA signature: s' = n - s, the other parity."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
