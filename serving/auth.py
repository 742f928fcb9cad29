"""Bearer tokens with scopes, issued by each service for its own callers (RFC 6750, JWT with Ed25519)."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from contracts.terms.errors import BadToken, Forbidden
from serving.keys import MessageKey

_ALGORITHM = "Ed25519"
_MAX_TOKEN = 4096
"""Characters; an unread token may nest its JSON no deeper than its length."""
_REMEMBERED = 1024
"""Tokens whose signature was verified, which takes longer than all else of reading one."""
_bearer = HTTPBearer(
    auto_error=False,
    description="A token that this service issued: see `feiqian node token --help`, likewise `bridge`, `compliance`",
)


@dataclass(frozen=True)
class Caller:
    """Who calls: the token's subject and what it may do."""

    subject: str
    scopes: frozenset[str]


class Tokens:
    """Issues and reads one service's tokens. `issuer` is the service's name; the key never leaves it."""

    def __init__(self, issuer: str, key: MessageKey) -> None:
        self._issuer = issuer
        self._signed = lru_cache(maxsize=_REMEMBERED)(self._signed_claims)
        self._key = OKPKey.import_key(
            {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public), "d": _base64url(key.seed)}
        )

    def issue(self, subject: str, scopes: list[str], lifetime: int = 3600) -> str:
        """A token for `subject` with `scopes`, valid for `lifetime` seconds."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + lifetime,
        }
        return jwt.encode({"alg": _ALGORITHM}, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str) -> Caller:
        """The caller a token names. Raises BadToken when it is not ours, altered or expired."""
        if len(token) > _MAX_TOKEN:
            raise BadToken("a token of this service is shorter")
        try:
            claims = self._signed(token)
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self._issuer}, exp={"essential": True}, sub={"essential": True}
            ).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as failure:
            raise BadToken(f"not a token of {self._issuer}, or one that has expired; ask for a new one") from failure
        return Caller(str(claims["sub"]), frozenset(str(claims.get("scope", "")).split()))

    def _signed_claims(self, token: str) -> dict[str, Any]:
        return jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims


def require(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, if its token carries `scope`. The app keeps its Tokens in `app.state.tokens`."""

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        if credentials is None:
            raise BadToken("send the header Authorization: Bearer <token>")
        found: Caller = request.app.state.tokens.read(credentials.credentials)
        if scope not in found.scopes:
            raise Forbidden(f"this needs the scope {scope}", scope=scope)
        return found

    return caller


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
