"""What every service's web application has in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import uvicorn
from fastapi import FastAPI
from fastapi_swagger import patch_fastapi

from serving.bodies import BoundedBodies
from serving.problems import PROBLEM_RESPONSES, install_problem_handlers

VERSION = "0.1.0"


def new_app(title: str, description: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """An application with problem documents, bounded bodies and interactive docs that need no network."""
    app = FastAPI(
        title=title,
        description=description,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        lifespan=lifespan,
        responses=PROBLEM_RESPONSES,
    )
    app.add_middleware(BoundedBodies)
    install_problem_handlers(app)
    patch_fastapi(app)

    @app.get("/health", tags=["operation"])
    def health() -> dict[str, str]:
        """Answers once the service is ready."""
        return {"status": "ok", "version": VERSION}

    return app


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=3)
