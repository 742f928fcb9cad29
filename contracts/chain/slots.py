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
PARTICIPANTS = 3
"""Participants._participants: account -> struct."""
LEDGER_SETTLEMENT = 0
"""Ledger._settlement: the Settlement in office."""

# The struct's strings before `roles` take a length word and their data: lei 2, bic 2, country 2.
_ROLES_OFFSET = 6
_STATUS_OFFSET = 7


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


def roles_slot(account: Address) -> int:
    """Participants' slot of a participant's role flags."""
    return slot_of(PARTICIPANTS, account) + _ROLES_OFFSET


def status_slot(account: Address) -> int:
    """Participants' slot of a participant's standing (`contracts.terms.parties.Status`)."""
    return slot_of(PARTICIPANTS, account) + _STATUS_OFFSET
