"""Where the contracts keep what an auditor proves with `eth_getProof` (EIP-1186).

Numbers, not look-ups in an artifact: the offline verifier has no compiler. A test holds them against the compiler's
storage layout. A Vyper map keeps the value of `key` at keccak(slot || key), both as 32-byte words, and the fields
of a struct in the slots that follow.
"""

from __future__ import annotations

from contracts.terms.batch import Place
from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address

BATCH_HASH = 0
"""Settlement._batch_hash: debtor agent -> lane -> sequence -> batch hash."""
KEYS = 0
"""Participants.keyring._words: key, as 32 bytes -> packed word (`participants.KeyRecord.unpack`)."""
STANDINGS = 3
"""Participants.standing._words: account -> roles << 8 | status."""
LEDGER_SETTLEMENT = 0
"""Ledger._settlement: the Settlement in office."""


def slot_of(base: int, *keys: int | Address) -> int:
    """The slot of an entry of a (nested) map of the map variable at slot `base`."""
    slot = base
    for key in keys:
        number = int(key, 16) if isinstance(key, str) else key
        slot = int.from_bytes(keccak(slot.to_bytes(32, "big") + number.to_bytes(32, "big")), "big")
    return slot


def batch_hash_slot(place: Place) -> int:
    """Settlement's slot of the batch hash stored for a place."""
    return slot_of(BATCH_HASH, place.debtor_agent, place.lane, place.sequence)


def key_slot(key: Address) -> int:
    """Participants' slot of a settlement or compliance key's word."""
    return slot_of(KEYS, key)


def standing_slot(account: Address) -> int:
    """Participants' slot of a participant's roles and status (`contracts.terms.parties`): roles << 8 | status."""
    return slot_of(STANDINGS, account)
