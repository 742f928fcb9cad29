"""`feiqian node`: run an institution's node, issue its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Run an institution's node.")
SCOPES = (
    "payments:write",
    "payments:read",
    "accounts:read",
    "merchants:read",
    "merchants:write",
    "operator",
    "audit",
)
Config = Annotated[Path, typer.Option("--config", help="the node's settings (TOML)")]


@app.command()
def serve(config: Config) -> None:
    """Serve the node's API and move its payments until SIGTERM."""
    from nodes.settings import NodeSettings
    from serving.run import run_service

    def create(settings: NodeSettings):  # type: ignore[no-untyped-def]
        from nodes.app import create_app

        return create_app(settings)

    run_service(NodeSettings, config, create)


@app.command()
def token(
    config: Config,
    subject: Annotated[str, typer.Option(help="who the token is for: an account's or merchant's owner")],
    scope: Annotated[list[str], typer.Option(help=f"one of {', '.join(SCOPES)}; may be repeated")],
    lifetime: Annotated[int, typer.Option(help="seconds")] = 3600,
) -> None:
    """Issue a bearer token for the node's API."""
    from nodes.settings import NodeSettings
    from serving.run import issue_token

    typer.echo(issue_token(NodeSettings, SCOPES, config, subject, scope, lifetime))
