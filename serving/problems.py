"""Every error as an RFC 9457 problem document (`application/problem+json`)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from contracts.terms.errors import (
    Conflict,
    FeiqianError,
    Forbidden,
    Malformed,
    NotFound,
    Refused,
    Unauthenticated,
    Unavailable,
)
from serving.idempotency import WHAT_TO_SEND

PROBLEM_JSON = "application/problem+json"
_TYPE_PREFIX = "urn:feiqian:problem:"
_STATUS: tuple[tuple[type[FeiqianError], int], ...] = (
    (Malformed, 400),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 422),
    (Unavailable, 503),
)
_NAME = re.compile(r"[\w-]{1,40}", re.ASCII)
_log = structlog.get_logger(__name__)


def status_of(error: FeiqianError) -> int:
    """The HTTP status of an error: that of the branch of the tree it stands on."""
    return next((status for branch, status in _STATUS if isinstance(error, branch)), 500)


def problem_response(error: FeiqianError) -> JSONResponse:
    """The problem document of an error of the tree; its fields become members."""
    status = status_of(error)
    headers = {"Retry-After": str(error.fields.get("retry_after", 1))} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _problem(status, error.kind(), error.title, error.detail, error.iso_reason, error.fields, headers)


def problem_document(error: FeiqianError) -> dict[str, str | int]:
    """The members of the problem document of an error of the tree, where it is part of a longer answer."""
    return _document(status_of(error), error.kind(), error.title, error.detail, error.iso_reason, error.fields)


def install_problem_handlers(app: FastAPI) -> None:
    """Turn every error that leaves an endpoint into a problem document."""
    for kind in (FeiqianError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    return problem_of(request, error)


def problem_of(request: Request, error: Exception) -> JSONResponse:
    """The problem document of anything that an endpoint raised. What is not in the tree is a bug and is logged."""
    if isinstance(error, FeiqianError):
        return problem_response(error)
    if isinstance(error, RequestValidationError):
        return problem_response(Malformed(_first_invalid(error)))
    if isinstance(error, HTTPException):
        return _http_problem(request, error)
    _log.error("bug", path=request.url.path, exc_info=error)
    return _problem(500, "internal", "Something is wrong on our side", "the failure was logged", "NARR", {})


def _first_invalid(error: RequestValidationError) -> str:
    """Name the first wrong field and what is wrong with it; never echo the caller's input."""
    first = error.errors()[0]
    if first["type"] == "missing" and tuple(first["loc"]) == ("header", "Idempotency-Key"):
        return f"send the header {WHAT_TO_SEND}"
    names = (part if _NAME.fullmatch(part) else "(a name that is none)" for part in map(str, first["loc"]))
    where = ".".join(name for name in names if name != "body") or "the body"
    return f"{where}: {first['msg']}"


def _http_problem(request: Request, error: HTTPException) -> JSONResponse:
    detail = {
        404: f"there is no {request.url.path} here; see /docs",
        405: f"{request.method} is not possible here; see /docs",
        408: "the body did not arrive in time",
        413: "the body is too large",
    }.get(error.status_code, str(error.detail))
    return _problem(error.status_code, "http", str(error.detail), detail, "NARR", {}, error.headers)


def _problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    reason: str,
    fields: Mapping[str, str | int],
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    document = _document(status, kind, title, detail, reason, fields)
    return JSONResponse(document, status, dict(headers or {}), PROBLEM_JSON)


def _document(
    status: int, kind: str, title: str, detail: str, reason: str, fields: Mapping[str, str | int]
) -> dict[str, str | int]:
    described: dict[str, str | int] = {"title": title, "status": status, "detail": detail, "reason": reason}
    return {**fields, "type": _TYPE_PREFIX + kind, **described}
