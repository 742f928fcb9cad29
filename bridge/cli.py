"""`feiqian bridge`: run an FX provider's bridge, issue tokens for it, look at its rates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="An FX provider's bridge: firm quotes, reservations, positions.", no_args_is_help=True)

SCOPES = ("bridge:read", "audit")
Config = Annotated[Path, typer.Option("--config", help="The bridge's settings (TOML).")]


@app.command()
def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Imported here so that the main command's help does not wait for a web framework.
    from bridge.app import create_app
    from bridge.settings import BridgeSettings
    from serving.run import run_service

    run_service(BridgeSettings, config, create_app)


@app.command()
def token(
    config: Config,
    subject: Annotated[str, typer.Option("--subject", help="Who will hold it.")],
    scope: Annotated[list[str], typer.Option("--scope", help=f"One of {', '.join(SCOPES)}; may be repeated.")],
    lifetime: Annotated[int, typer.Option("--lifetime", min=1, help="Seconds.")] = 3600,
) -> None:
    """Print a bearer token for the bridge's own API."""
    from bridge.settings import BridgeSettings
    from serving.run import issue_token

    typer.echo(issue_token(BridgeSettings, SCOPES, config, subject, scope, lifetime))


@app.command()
def rates(
    date: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="A business date.")],
    base: Annotated[str, typer.Option("--base", help="Show what one unit of this currency is worth.")] = "EUR",
) -> None:
    """Show the ECB reference rates of a date, crossed through the euro."""
    from rich.console import Console
    from rich.table import Table

    from bridge.rates.pricing import shown
    from bridge.rates.reference import SOURCE, reference_rates
    from contracts.terms.errors import FeiqianError
    from contracts.terms.money import currency

    try:
        published, unit = reference_rates(date.date()), currency(base.upper())
        rows = [(code, shown(published.mid(unit, currency(code)))) for code in published.per_euro]
    except FeiqianError as failure:
        typer.echo(f"feiqian bridge: {failure.detail}", err=True)
        raise typer.Exit(1) from failure
    table = Table("currency", f"per {unit.alpha}", title=f"{SOURCE}, {published.business_date}")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
