"""Keys at rest: encrypted keystores (version 3, as eth-account writes them), opened once at start.

The form that eth-account writes is read here, because that library takes most of a second to load; it reads every
other form.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable
from hashlib import scrypt
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.terms.commitments import keccak
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
    from eth_account import Account

    document = Account.encrypt(secret, password, kdf="scrypt", iterations=cost)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file)


def read_keystore(path: Path, password: str) -> bytes:
    """The 32-byte secret in a keystore. Raises KeyUnreadable."""
    try:
        return _decrypted(json.loads(path.read_text()), password)
    except FileNotFoundError as failure:
        raise KeyUnreadable(f"no keystore at {path}") from failure
    except OSError as failure:
        raise KeyUnreadable(f"the keystore {path} cannot be read: {failure.strerror}") from failure
    except Exception as failure:  # a damaged file fails in as many ways as its decoders have
        raise KeyUnreadable(f"the keystore {path} does not open: wrong password or damaged file") from failure


def _decrypted(document: dict[str, Any], password: str) -> bytes:
    """Web3 Secret Storage, version 3: the key is AES-128-CTR under scrypt, its MAC keccak256."""
    crypto = document["crypto"]
    if (document["version"], crypto["kdf"], crypto["cipher"]) != (3, "scrypt", "aes-128-ctr"):
        from eth_account import Account

        return bytes(Account.decrypt(document, password))
    hidden, how = bytes.fromhex(crypto["ciphertext"]), crypto["kdfparams"]
    n, r, p, length = (int(how[name]) for name in ("n", "r", "p", "dklen"))
    salt, memory = bytes.fromhex(how["salt"]), 256 * r * (n + p + 32)  # OpenSSL wants it said, and a little more
    key = scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
    if not hmac.compare_digest(keccak(key[16:32] + hidden), bytes.fromhex(crypto["mac"])):
        raise ValueError("MAC mismatch")
    opened = Cipher(AES(key[:16]), CTR(bytes.fromhex(crypto["cipherparams"]["iv"]))).decryptor()
    return opened.update(hidden) + opened.finalize()


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
