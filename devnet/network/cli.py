"""`feiqian network`: found, start, stop and look at a network on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from contracts.terms.errors import FeiqianError

app = typer.Typer(no_args_is_help=True, help="Found, start and stop a network on this machine.")

Folder = Annotated[Path, typer.Argument(help="the network's folder")]


@app.command()
def found(
    folder: Folder,
    payment_lifetime: Annotated[int, typer.Option(min=5, max=300, help="seconds a payment may take")] = 30,
    heartbeat: Annotated[float, typer.Option(min=1, max=60, help="seconds between blocks when idle")] = 5.0,
    database: Annotated[
        str | None, typer.Option(help="postgresql://user@host:port: a server for the services' books instead of files")
    ] = None,
) -> None:
    """Write a new network: keys, genesis file, settings."""
    from devnet.network.found import found as write

    try:
        write(folder, payment_lifetime, heartbeat, server=database)
    except FeiqianError as failure:
        _fail(failure)
    print(f"founded; next: feiqian network start {folder}")


@app.command()
def start(folder: Folder) -> None:
    """Start every service, establish the network if that was not done, and leave it running."""
    from devnet.network.folder import NetworkFolder
    from devnet.network.processes import Processes
    from devnet.network.run import run

    try:
        network = NetworkFolder.open(folder)
        run(network, Processes(network))
    except FeiqianError as failure:
        _fail(failure)
    status(folder)


@app.command()
def stop(folder: Folder) -> None:
    """Stop every service."""
    from devnet.network.folder import NetworkFolder
    from devnet.network.processes import Processes

    try:
        Processes(NetworkFolder.open(folder)).stop_all()
    except FeiqianError as failure:
        _fail(failure)
    print("stopped")


@app.command()
def upgrade(folder: Folder) -> None:
    """Replace the Settlement in office while the network runs: the council retires it and admits its successor."""
    from devnet.network.folder import NetworkFolder
    from devnet.network.upgrade import upgrade as carry

    try:
        done = carry(NetworkFolder.open(folder))
    except FeiqianError as failure:
        _fail(failure)
    print(f"retired {done.old}")
    print(f"in office {done.new}, from block {done.block_number} on, which is final: same balances, same sequences")


@app.command()
def status(folder: Folder) -> None:
    """Show the services: whether they run, and where they answer."""
    from rich.console import Console
    from rich.table import Table

    from devnet.network.folder import SERVICES, NetworkFolder
    from devnet.network.processes import Processes

    try:
        network = NetworkFolder.open(folder)
    except FeiqianError as failure:
        _fail(failure)
    processes = Processes(network)
    pids = processes.pids()
    table = Table("service", "process", "address")
    for service in SERVICES:
        running = processes.is_running(service)
        table.add_row(service, str(pids[service]) if running else "not running", network.url(service))
    Console(emoji=False).print(table)


def _fail(failure: FeiqianError) -> NoReturn:
    typer.echo(f"{failure.title}: {failure.detail}", err=True)
    raise typer.Exit(1)
