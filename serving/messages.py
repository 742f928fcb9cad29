"""HTTP messages between institutions, signed (RFC 9421, Ed25519) and never accepted twice.

A request's signature covers its method, its target URI and its body's digest (RFC 9530), with a nonce and a short
life. A response's signature covers its status, its body's digest and the signature of the request that it answers, so
that one payment's answer can never be taken for another's.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver

from contracts.terms.errors import BadSignature
from contracts.terms.identifiers import Address, address
from contracts.terms.parties import KeyDirectory, Participant, Status
from serving.keys import MessageKey

MAX_AGE = timedelta(seconds=60)
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
    def __init__(self, own: MessageKey | None, directory: KeyDirectory) -> None:
        self._own, self._directory = own, directory

    def resolve_private_key(self, key_id: str):  # type: ignore[no-untyped-def]
        assert self._own is not None
        return self._own.private

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
        resolver = _Keys(key, directory)
        self._signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
        self._verifier = HTTPMessageVerifier(signature_algorithm=_AnyLivingKey, key_resolver=resolver)

    def sign_request(self, message: RequestMessage, body: bytes) -> None:
        """Add the digest and signature headers to `message`."""
        self._sign(message, REQUEST_COMPONENTS, body)

    def sign_response(self, message: ResponseMessage, body: bytes) -> None:
        """Add the digest and signature headers to `message`, bound to the request it answers."""
        self._sign(message, RESPONSE_COMPONENTS, body)

    def verify_request(self, message: RequestMessage, body: bytes) -> Sender:
        """Who sent this request. Raises BadSignature; telling replays apart is the caller's (see `replay`)."""
        return self._verify(message, REQUEST_COMPONENTS, body)

    def verify_response(self, message: ResponseMessage, body: bytes) -> Sender:
        """Who answered. Raises BadSignature, also for an answer to another request."""
        return self._verify(message, RESPONSE_COMPONENTS, body)

    def _sign(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> None:
        now = datetime.now(UTC)
        self._signer.sign(
            message,
            key_id=self.account,
            created=now,
            expires=now + MAX_AGE,
            nonce=secrets.token_urlsafe(18),
            label=_TAG,
            tag=_TAG,
            covered_component_ids=components,
            body=body,
        )

    def _verify(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> Sender:
        try:
            [result] = self._verifier.verify(
                message, max_age=MAX_AGE, expect_tag=_TAG, require_components=components, body=body
            )
        except (HTTPMessageSignaturesException, ValueError) as failure:
            raise BadSignature(f"the message signature is not valid: {failure}"[:200]) from failure
        if not result.nonce or "expires" not in result.parameters:
            raise BadSignature("the message signature needs a nonce and an expiry")
        sender = self.directory.participant(address(str(result.parameters["keyid"])))
        if sender is None or sender.status is not Status.ACTIVE:
            raise BadSignature("the sender is not an active member of this network")
        return Sender(sender, result.nonce, int(result.parameters["expires"]))
