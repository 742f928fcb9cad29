"""eth_getProof (EIP-1186): an account and some of its storage, provable against a block's state root."""

from typing import Any

import rlp
from eth.db.backends.base import BaseAtomicDB
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from devnet.chain.quantities import as_hex

MAXIMUM_SLOTS = 1024


def account_proof(store: BaseAtomicDB, state_root: bytes, address: bytes, slots: list[int]) -> dict[str, Any]:
    """The proof of an account (or of its absence) and of each storage slot."""
    trie = HexaryTrie(store, state_root)
    encoded = trie[keccak(address)]
    account = rlp.decode(encoded, sedes=Account) if encoded else Account()
    storage = HexaryTrie(store, account.storage_root)
    return {
        "address": as_hex(address),
        "accountProof": _nodes(trie, keccak(address)),
        "balance": hex(account.balance),
        "codeHash": as_hex(account.code_hash),
        "nonce": hex(account.nonce),
        "storageHash": as_hex(account.storage_root),
        "storageProof": [_slot_proof(storage, slot) for slot in slots],
    }


def _slot_proof(storage: HexaryTrie, slot: int) -> dict[str, Any]:
    key = keccak(slot.to_bytes(32, "big"))
    encoded = storage[key]
    value = rlp.decode(encoded, sedes=rlp.sedes.big_endian_int) if encoded else 0
    return {"key": hex(slot), "value": hex(value), "proof": _nodes(storage, key)}


def _nodes(trie: HexaryTrie, key: bytes) -> list[str]:
    """RLP nodes from the root down. A node under 32 bytes stands inside its parent and is not repeated."""
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
    return [as_hex(node) for depth, node in enumerate(encoded) if depth == 0 or len(node) >= 32]
