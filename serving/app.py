"""What every service's web application has in common."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import uvicorn
from fastapi import FastAPI
from fastapi_swagger import patch_fastapi

from serving.bodies import BoundedBodies
from serving.lasting import spare_what_lasts
from serving.openapi import describe_problems
from serving.problems import install_problem_handlers
from serving.readiness import Readiness

VERSION = "0.1.0"
KEPT_ALIVE = 20
"""Seconds for which an idle connection stays open: longer than clients keep theirs (5 s), or one would be closed just
as a request arrives on it."""


def new_app(
    title: str,
    description: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    readiness: Readiness,
) -> FastAPI:
    """An application with problem documents, bounded bodies and interactive docs that need no network."""
    app = FastAPI(
        title=title,
        description=description,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(BoundedBodies)
    install_problem_handlers(app)
    patch_fastapi(app)
    describe_problems(app)

    @app.get("/health", tags=["operation"])
    def health() -> dict[str, str]:
        """The process answers: whoever gets no answer for long restarts it."""
        return {"status": "ok", "version": VERSION}

    @app.get("/ready", tags=["operation"])
    def ready() -> dict[str, str]:
        """The service can do its work now; else 503 with what is missing."""
        readiness.check()
        return {"status": "ready", "version": VERSION}

    return app


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is done under it. Nobody is let in yet. Raises OSError when another has it."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def serve(app: FastAPI, bound: socket.socket) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT."""
    spare_what_lasts()
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=3, timeout_keep_alive=KEPT_ALIVE
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])
