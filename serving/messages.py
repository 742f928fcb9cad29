"""HTTP messages between institutions, signed (RFC 9421, Ed25519) and never accepted twice.

A request's signature covers its method, its target URI and its body's digest (RFC 9530), with a nonce and a short
life. A response's signature covers its status, its body's digest and the signature of the request that it answers, so
that one payment's answer can never be taken for another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver

from contracts.terms.errors import BadSignature, Unavailable
from contracts.terms.identifiers import Address, address
from contracts.terms.parties import KeyDirectory, Participant, Status
from serving.keys import MessageKey
from serving.signed_form import (
    CLOCKS_MAY_DIFFER,
    MAX_AGE,
    MAX_NONCE,
    REQUEST_COMPONENTS,
    RESPONSE_COMPONENTS,
    TAG,
    Metadata,
    RequestMessage,
    ResponseMessage,
    is_signed,
    recognised,
    sign,
)


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
        return living


class _AnyLivingKey(algorithms.ED25519):
    """Ed25519 by any of the sender's keys: a key id is an account."""

    def __init__(self, public_key: Sequence[bytes]) -> None:
        self._living = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        if not is_signed(signature, message, self._living):
            raise InvalidSignature


class Messenger:
    """Signs as one institution and verifies every other's messages by the keys of the registry."""

    def __init__(self, account: Address, key: MessageKey, directory: KeyDirectory) -> None:
        self.account = account
        self.directory = directory
        self._key = key
        self._verifier = HTTPMessageVerifier(signature_algorithm=_AnyLivingKey, key_resolver=_Keys(directory))
        self._verifier.max_clock_skew = CLOCKS_MAY_DIFFER

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
        sign(message, components, body, self.account, self._key.private)

    def _verify(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> Sender:
        keys_of = self.directory.message_keys
        signed = recognised(message, components, body, keys_of) or self._judged(message, components, body)
        sender = self.directory.participant(signed.account)
        if sender is None or sender.status is not Status.ACTIVE:
            raise BadSignature("the sender is not an active member of this network")
        return Sender(sender, signed.nonce, signed.expires)

    def _judged(self, message: RequestMessage | ResponseMessage, components: tuple[str, ...], body: bytes) -> Metadata:
        """Who signed it, in whatever form. Raises BadSignature with what is wrong, and Unavailable."""
        try:
            [result] = self._verifier.verify(
                message, max_age=MAX_AGE, expect_tag=TAG, require_components=components, body=body
            )
        except (HTTPMessageSignaturesException, ValueError) as failure:
            if isinstance(failure.__cause__, Unavailable):
                raise failure.__cause__ from None  # without the registry nobody knows whose signature it is
            raise BadSignature(f"the message signature is not valid: {failure}"[:200]) from failure
        if not result.nonce or "expires" not in result.parameters:
            raise BadSignature("the message signature needs a nonce and an expiry")
        if len(result.nonce) > MAX_NONCE:
            raise BadSignature(f"a nonce is at most {MAX_NONCE} characters")
        return Metadata(address(str(result.parameters["keyid"])), result.nonce, int(result.parameters["expires"]))
