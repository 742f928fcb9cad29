"""The statuses of every operation, written into a service's OpenAPI document by one rule.

FastAPI describes what an operation answers when all is well. What else it may answer does not depend on the operation,
but on what it is asked with: a token or a signature, a body, parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from serving.problems import PROBLEM_JSON

_SIGNATURE = "MessageSignature"
_SIGNED = "/peer/"
_RETRY_AFTER = {"description": "seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    503: {"Retry-After": _RETRY_AFTER},
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "A problem document (RFC 9457); a problem may have members of its own besides.",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:feiqian:problem:[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string", "description": "ISO 20022 ExternalStatusReason1Code"},
    },
}
_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": "Signature",
    "description": "A signature by the message key of a member of the network (RFC 9421, Ed25519), "
    "created now, with expiry and nonce, over @method, @target-uri and content-digest",
}


def describe_problems(app: FastAPI) -> None:
    """Have `app` describe every status that its operations answer with."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _describe(described())
        return described()

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        if path.startswith(_SIGNED):
            components.setdefault("securitySchemes", {})[_SIGNATURE] = _SCHEME
        for method, operation in operations.items():
            if path.startswith(_SIGNED):
                operation["security"] = [{_SIGNATURE: []}]
            answers = operation["responses"]
            # FastAPI's own answer to a wrong request, in place of which ours is a 400.
            answers.pop("422", None)
            answers |= {str(status): _answer(status) for status in _statuses(path, method, operation)}
            operation["responses"] = dict(sorted(answers.items()))


def _answer(status: int) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    return {"description": HTTPStatus(status).phrase, "content": content, **headers}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    if "security" in operation:
        yield from (401, 403, 503)
    if "{" in path:
        yield 404
    if operation.get("parameters"):
        yield 400
    if method == "post":
        yield from (400, 404, 408, 409, 413, 422)
    if path == "/ready":
        yield 503
