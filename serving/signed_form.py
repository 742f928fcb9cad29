"""The one form in which this program signs HTTP messages (RFC 9421, Ed25519): written, and recognised.

Recognising says yes or nothing: what is not good in exactly this form is judged by the library, which knows every form
and says what is wrong. It takes five times as long, and the price of one payment alone takes four signatures.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contracts.terms.errors import BadSignature
from contracts.terms.identifiers import Address

MAX_AGE = timedelta(seconds=60)
CLOCKS_MAY_DIFFER = timedelta(seconds=5)
REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest")
RESPONSE_COMPONENTS = ("@status", "content-digest", '"signature";req', '"@method";req', '"@target-uri";req')
TAG = "feiqian"
MAX_NONCE = 128
"""Characters: each nonce is kept until its signature has expired."""

_SIGNATURE = re.compile(f"{TAG}=:([A-Za-z0-9+/]{{86}}==):")
_PLAIN_URL = re.compile(r"https?://[a-z0-9.-]+(:[1-9][0-9]*)?(/[a-z0-9-]+)+")
"""One that reads the same whoever takes it apart and puts it together."""


@dataclass
class RequestMessage:
    """The parts of a request that are signed."""

    method: str
    url: str
    headers: MutableMapping[str, str]


@dataclass
class ResponseMessage:
    """The parts of a response that are signed, with the request that it answers."""

    status_code: int
    request: RequestMessage
    headers: MutableMapping[str, str] = field(default_factory=dict)


AnyMessage = RequestMessage | ResponseMessage


@dataclass(frozen=True)
class Metadata:
    """What a signature says of itself. `expires` is in seconds since 1970."""

    account: Address
    nonce: str
    expires: int


def sign(message: AnyMessage, components: Sequence[str], body: bytes, account: Address, key: Ed25519PrivateKey) -> None:
    """Add the digest and signature headers (RFC 9421 section 3.1). Raises BadSignature when what is answered has no
    readable signature."""
    headers, created = message.headers, int(time.time())
    headers["Content-Digest"] = _digest(body)
    metadata = {"keyid": account, "alg": "ed25519", "nonce": secrets.token_urlsafe(18), "tag": TAG}
    parameters = f"({_named(components)});created={created};expires={created + int(MAX_AGE.total_seconds())}"
    parameters += "".join(f';{name}="{value}"' for name, value in metadata.items())
    signature = key.sign(_base(message, components, headers["Content-Digest"], parameters))
    headers["Signature-Input"] = f"{TAG}={parameters}"
    headers["Signature"] = f"{TAG}={_byte_sequence(signature)}"


def recognised(
    message: AnyMessage, components: tuple[str, ...], body: bytes, keys_of: Callable[[Address], Sequence[bytes]]
) -> Metadata | None:
    """Who signed this message in this form, with a key that lives, within its time; None when that is not certain.
    `keys_of` gives an account's living Ed25519 keys; what it raises is raised."""
    headers = {name.lower(): value for name, value in message.headers.items()}
    found = _form(components).fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if len(headers) != len(message.headers) or not found or not signature or not _is_plain(message):
        return None
    parameters, created, expires, account, nonce = found.groups()
    now, slack = time.time(), CLOCKS_MAY_DIFFER.total_seconds()
    ends = min(int(expires), int(created) + MAX_AGE.total_seconds())
    in_time = int(created) <= now + slack and ends >= now - slack
    digest = _digest(body)
    if not in_time or headers.get("content-digest") != digest:
        return None
    base, proof = _base(message, components, digest, parameters), base64.b64decode(signature[1])
    if not is_signed(proof, base, keys_of(account)):
        return None
    return Metadata(account, nonce, int(expires))


def is_signed(signature: bytes, base: bytes, living: Sequence[bytes]) -> bool:
    """Whether any of an account's living keys signed it: there are two while one replaces the other."""
    for key in living:
        with suppress(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(key).verify(signature, base)
            return True
    return False


def _is_plain(message: AnyMessage) -> bool:
    """Whether nothing of it needs to be brought into its one form first."""
    request = message.request if isinstance(message, ResponseMessage) else message
    if request.method != "POST" or not _PLAIN_URL.fullmatch(request.url):
        return False
    if isinstance(message, ResponseMessage):
        once = sum(name.lower() == "signature" for name in request.headers) == 1
        return once and 100 <= message.status_code <= 999 and bool(_SIGNATURE.fullmatch(_signature_of(request)))
    return True


def _base(message: AnyMessage, components: Sequence[str], digest: str, parameters: str) -> bytes:
    """The signature base (section 2.5)."""
    lines = [f"{name}: {_value(message, name, digest)}" for name in map(_name, components)]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


def _value(message: AnyMessage, component: str, digest: str) -> str:
    """What stands in the signature base for a covered component."""
    request = message.request if isinstance(message, ResponseMessage) else message
    match component.removesuffix(";req"):
        case '"@method"':
            return request.method
        case '"@target-uri"':
            return request.url
        case '"@status"':
            assert isinstance(message, ResponseMessage)
            return str(message.status_code)
        case '"content-digest"':
            return digest
        case '"signature"':
            return _signature_of(request)
    raise AssertionError(f"nothing is known of {component}")


def _signature_of(request: RequestMessage) -> str:
    found = next((value for name, value in request.headers.items() if name.lower() == "signature"), "").strip(" \t")
    if not found or not found.isascii() or not found.replace("\t", " ").isprintable():
        raise BadSignature("the request that is answered has no readable signature")
    return found


def _name(component: str) -> str:
    return component if component.startswith('"') else f'"{component}"'


def _named(components: Sequence[str]) -> str:
    return " ".join(map(_name, components))


@cache
def _form(components: tuple[str, ...]) -> re.Pattern[str]:
    number = "([1-9][0-9]{0,11})"
    return re.compile(
        rf'{TAG}=(\({re.escape(_named(components))}\);created={number};expires={number};keyid="(0x[0-9a-f]{{40}})"'
        rf';alg="ed25519";nonce="([A-Za-z0-9_-]{{1,{MAX_NONCE}}})";tag="{TAG}")'
    )


def _digest(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256={_byte_sequence(hashlib.sha256(body).digest())}"


def _byte_sequence(content: bytes) -> str:
    """RFC 8941 section 4.1.8."""
    return f":{base64.b64encode(content).decode()}:"
