"""HTTP messages between institutions, signed (RFC 9421, Ed25519) and never accepted twice.

A request's signature covers its method, its target URI and its body's digest (RFC 9530), with a nonce and a short
life. A response's signature covers its status, its body's digest and the signature of the request that it answers, so
that one payment's answer can never be taken for another's.

Signatures are verified by a library, whatever form they have. They are made here, in one form, in a tenth of the
library's time: the price of one payment alone takes four of them.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver

from contracts.terms.errors import BadSignature, Unavailable
from contracts.terms.identifiers import Address, address
from contracts.terms.parties import KeyDirectory, Participant, Status
from serving.keys import MessageKey

MAX_AGE = timedelta(seconds=60)
MAX_NONCE = 128
"""Characters: each nonce is kept until its signature has expired."""
REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest")
RESPONSE_COMPONENTS = ("@status", "content-digest", '"signature";req', '"@method";req', '"@target-uri";req')
_TAG = "feiqian"


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


@dataclass(frozen=True)
class Sender:
    """Who signed a message, and the nonce by which it is told from every other."""

    participant: Participant
    nonce: str
    expires: int


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, directory: KeyDirectory) -> None:
        self._directory = directory

    def resolve_public_key(self, key_id: str):  # type: ignore[no-untyped-def]
        living = self._directory.message_keys(address(key_id))
        if not living:
            raise BadSignature(f"{key_id} is not a member of this network, or has no message key")
        return [Ed25519PublicKey.from_public_bytes(key) for key in living]


class _AnyLivingKey(algorithms.ED25519):
    """Ed25519 by any of the sender's keys: a key id is an account, which has two keys while one replaces the other."""

    def __init__(self, public_key: Sequence[Ed25519PublicKey]) -> None:
        self._living = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        for key in self._living:
            with suppress(InvalidSignature):
                key.verify(signature, message)
                return
        raise InvalidSignature


class Messenger:
    """Signs as one institution and verifies every other's messages by the keys of the registry."""

    def __init__(self, account: Address, key: MessageKey, directory: KeyDirectory) -> None:
        self.account = account
        self.directory = directory
        self._key = key
        self._verifier = HTTPMessageVerifier(signature_algorithm=_AnyLivingKey, key_resolver=_Keys(directory))

    def sign_request(self, message: RequestMessage, body: bytes) -> None:
        """Add the digest and signature headers to `message`."""
        self._sign(message, REQUEST_COMPONENTS, body)

    def sign_response(self, message: ResponseMessage, body: bytes) -> None:
        """Add the digest and signature headers to `message`, bound to the request it answers.

        Raises BadSignature when that has no readable signature.
        """
        self._sign(message, RESPONSE_COMPONENTS, body)

    def verify_request(self, message: RequestMessage, body: bytes) -> Sender:
        """Who sent this request. Raises BadSignature, or Unavailable when the registry cannot be read; telling replays
        apart is the caller's (see `replay`)."""
        return self._verify(message, REQUEST_COMPONENTS, body)

    def verify_response(self, message: ResponseMessage, body: bytes) -> Sender:
        """Who answered. Raises BadSignature, also for an answer to another request, and Unavailable as above."""
        return self._verify(message, RESPONSE_COMPONENTS, body)

    def _sign(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> None:
        """RFC 9421 section 3.1, the signature base of section 2.5."""
        headers, created = message.headers, int(time.time())
        headers["Content-Digest"] = f"sha-256={_byte_sequence(hashlib.sha256(body).digest())}"
        named = [name if name.startswith('"') else f'"{name}"' for name in components]
        metadata = {"keyid": self.account, "alg": "ed25519", "nonce": secrets.token_urlsafe(18), "tag": _TAG}
        parameters = f"({' '.join(named)});created={created};expires={created + int(MAX_AGE.total_seconds())}"
        parameters += "".join(f';{name}="{value}"' for name, value in metadata.items())
        lines = [f"{name}: {_value(message, name)}" for name in named]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        headers["Signature-Input"] = f"{_TAG}={parameters}"
        headers["Signature"] = f"{_TAG}={_byte_sequence(self._key.private.sign(base.encode('ascii')))}"

    def _verify(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> Sender:
        try:
            [result] = self._verifier.verify(
                message, max_age=MAX_AGE, expect_tag=_TAG, require_components=components, body=body
            )
        except (HTTPMessageSignaturesException, ValueError) as failure:
            if isinstance(failure.__cause__, Unavailable):
                raise failure.__cause__ from None  # without the registry nobody knows whose signature it is
            raise BadSignature(f"the message signature is not valid: {failure}"[:200]) from failure
        if not result.nonce or "expires" not in result.parameters:
            raise BadSignature("the message signature needs a nonce and an expiry")
        if len(result.nonce) > MAX_NONCE:
            raise BadSignature(f"a nonce is at most {MAX_NONCE} characters")
        sender = self.directory.participant(address(str(result.parameters["keyid"])))
        if sender is None or sender.status is not Status.ACTIVE:
            raise BadSignature("the sender is not an active member of this network")
        return Sender(sender, result.nonce, int(result.parameters["expires"]))


def _value(message: RequestMessage | ResponseMessage, component: str) -> str:
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
            return message.headers["Content-Digest"]
        case '"signature"':
            return _signature_of(request)
    raise AssertionError(f"nothing is known of {component}")


def _signature_of(request: RequestMessage) -> str:
    found = next((value for name, value in request.headers.items() if name.lower() == "signature"), "").strip(" \t")
    if not found or not found.isascii() or not found.replace("\t", " ").isprintable():
        raise BadSignature("the request that is answered has no readable signature")
    return found


def _byte_sequence(content: bytes) -> str:
    """RFC 8941 section 4.1.8."""
    return f":{base64.b64encode(content).decode()}:"
