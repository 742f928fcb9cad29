"""Whose keys are whose, as the proven storage of the Participants contract says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.chain.participants import KeyRecord, Purpose
from contracts.chain.slots import key_slot
from contracts.terms.commitments import typed_digest
from contracts.terms.errors import BadSignature
from contracts.terms.identifiers import Address
from contracts.terms.signing import recover

PURPOSES: Mapping[Purpose, str] = {Purpose.SETTLEMENT: "settlement", Purpose.COMPLIANCE: "compliance"}


@dataclass(frozen=True)
class ProvenKeys:
    """The proven words by slot, the time (seconds) at which keys are judged, and the EIP-712 domain they sign in."""

    words: Mapping[int, int]
    timestamp: int
    domain: bytes

    def require(self, account: Address, purpose: Purpose, struct_hash: bytes, signature: bytes) -> None:
        """Refuse an EIP-712 signature that no key of `account` for `purpose` made. Raises BadSignature."""
        key = recover(typed_digest(self.domain, struct_hash), signature)
        word = self.words.get(key_slot(key))
        if word is None:
            raise BadSignature(f"{account}: it is not proven whose key {key} is")
        record = KeyRecord.unpack(word)
        if record is None or not record.signed_in(account, purpose, self.timestamp):
            raise BadSignature(f"{account}: {key} is not its {PURPOSES[purpose]} key at the block's time")
