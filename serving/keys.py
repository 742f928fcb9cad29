"""Keys at rest: encrypted keystores (version 3, as eth-account writes them), opened once at start."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account

from contracts.terms.signing import LocalSigner

SCRYPT_COST = 2**18

Key = TypeVar("Key")


class KeyUnreadable(ValueError):
    """A keystore is missing, damaged, or its password is wrong; says which file, never what is in it."""


class MessageKey:
    """An Ed25519 key: signs HTTP messages and tokens."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def __repr__(self) -> str:
        return f"MessageKey({self.public.hex()})"


def write_keystore(path: Path, secret: bytes, password: str, cost: int = SCRYPT_COST) -> None:
    """Write a 32-byte secret as an encrypted keystore that only its owner may read. `cost` is scrypt's N."""
    document = Account.encrypt(secret, password, kdf="scrypt", iterations=cost)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file)


def read_keystore(path: Path, password: str) -> bytes:
    """The 32-byte secret in a keystore. Raises KeyUnreadable."""
    try:
        return bytes(Account.decrypt(json.loads(path.read_text()), password))
    except FileNotFoundError as failure:
        raise KeyUnreadable(f"no keystore at {path}") from failure
    except OSError as failure:
        raise KeyUnreadable(f"the keystore {path} cannot be read: {failure.strerror}") from failure
    except Exception as failure:  # a damaged file fails in as many ways as its decoders have
        raise KeyUnreadable(f"the keystore {path} does not open: wrong password or damaged file") from failure


def open_signer(path: Path, password: str) -> LocalSigner:
    """The secp256k1 signer kept in a keystore."""
    return _made_of(path, LocalSigner, read_keystore(path, password))


def open_message_key(path: Path, password: str) -> MessageKey:
    """The Ed25519 key kept in a keystore."""
    return _made_of(path, MessageKey, read_keystore(path, password))


def _made_of(path: Path, kind: Callable[[bytes], Key], secret: bytes) -> Key:
    try:
        return kind(secret)
    except ValueError:
        raise KeyUnreadable(f"the keystore {path} holds no key of the kind that is needed") from None
