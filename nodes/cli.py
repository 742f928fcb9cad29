"""`feiqian node`: run an institution's node, issue its tokens, prove its book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Run an institution's node, and prove its book.")
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


@app.command()
def verify(
    config: Annotated[Path | None, typer.Option("--config", help="the node's settings (TOML): its database")] = None,
    database: Annotated[str | None, typer.Option(help="another database, such as a copy: a file or a URL")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="answer in JSON, for machines")] = False,
) -> None:
    """Prove a node's book from its database, read only, also while it runs. Exit code 1: something breaks it."""
    from contracts.terms.errors import FeiqianError
    from nodes.settings import NodeSettings
    from nodes.verify import report, service
    from serving.settings import load_settings, read_place, stop

    if (config is None) == (database is None):
        stop(
            "verify: say either --config, the node's settings, or --database, a file or postgresql://user@host:port/name"
        )
    try:
        place = read_place(database) if database else load_settings(NodeSettings, config or Path()).place()
        verified = service.verify(place)
    except (FeiqianError, ValueError) as failure:
        stop(f"verify: {failure}")
    if as_json:
        typer.echo(json.dumps(report.document(verified)))
    else:
        report.show(verified)
    raise typer.Exit(int(bool(verified.broken)))
