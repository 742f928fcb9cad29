"""A firm price: the EIP-712 struct `Quote`, signed by an FX provider."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.terms.identifiers import Address, Hash
from contracts.terms.money import MinorUnits


@dataclass(frozen=True)
class Quote:
    """`provider` sells `target_amount` to `buyer` for `source_amount`, until `expires` (seconds of chain time).

    Amounts are minor units, currencies ISO 4217 numeric codes; `nonce` (32 bytes) makes each quote its own.
    """

    provider: Address
    buyer: Address
    source_currency: int
    source_amount: MinorUnits
    target_currency: int
    target_amount: MinorUnits
    expires: int
    nonce: Hash
