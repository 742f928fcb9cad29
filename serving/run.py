"""Starting a service from its settings, and issuing its tokens: what every `cli.py` has in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from fastapi import FastAPI

from contracts.terms.errors import FeiqianError
from serving.app import bind, serve
from serving.auth import Tokens
from serving.keys import KeyUnreadable, open_message_key
from serving.settings import ServiceSettings, load_settings, stop
from serving.telemetry import configure_logs

AnySettings = TypeVar("AnySettings", bound=ServiceSettings)


def run_service(kind: type[AnySettings], config: Path, create: Callable[[AnySettings], FastAPI]) -> None:
    """Serve until SIGTERM. What keeps the service from starting is said in one line, with exit code 2."""
    # Before the first hash is made: eth-hash would settle for a slower library.
    os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
    settings = load_settings(kind, config)
    configure_logs(settings.name)
    try:
        bound = bind(settings.host, settings.port)
    except OSError as failure:
        stop(f"{settings.name} cannot start: {settings.host}:{settings.port}: {failure.strerror}")
    try:
        app = create(settings)
    except (FeiqianError, KeyUnreadable) as failure:
        stop(f"{settings.name} cannot start: {failure}")
    serve(app, bound)


def issue_token(
    kind: type[AnySettings], known: Sequence[str], config: Path, subject: str, scopes: list[str], lifetime: int
) -> str:
    """A bearer token of the service that these settings describe. A scope that is not `known` leaves the process."""
    for scope in scopes:
        if scope not in known:
            stop(f"there is no scope {scope!r} here; there are {', '.join(known)}")
    settings = load_settings(kind, config)
    try:
        key = open_message_key(settings.token_key, settings.password())
    except KeyUnreadable as failure:
        stop(f"settings: {failure}")
    return Tokens(settings.name, key).issue(subject, scopes, lifetime)
