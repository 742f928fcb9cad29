"""`feiqian demo`: the main job on this machine, from nothing to proven sums."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from devnet.network.demo import Demo

app = typer.Typer(help="A whole network on this machine settles real QR payments.")


@app.command()
def demo(
    payments: Annotated[int, typer.Option(min=1, max=100_000, help="how many payments in step 1")] = 200,
    seed: Annotated[int, typer.Option(help="chooses who pays whom, and how much")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="leave the network running at the end")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="a new or empty folder for the network; by default one that is removed")
    ] = None,
) -> None:
    """Start a network, pay, refuse, expire, audit, add up; the last line says whether all was as it must be."""
    from devnet.network.nursery import ForkedProcesses, Nursery

    nursery = Nursery() if sys.platform == "linux" else None  # first, because it loads for a while
    from rich.console import Console

    from contracts.terms.errors import FeiqianError
    from devnet.network.demo import HEARTBEAT, HOLD_LIFETIME, PAYMENT_LIFETIME, Demo
    from devnet.network.found import found
    from devnet.network.processes import Processes
    from devnet.network.stage import DemoFailed

    console = Console(emoji=False)
    # As an interrupt: what runs is stopped before this process ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = folder or Path(tempfile.mkdtemp(prefix="feiqian-demo-"))
    done = False
    processes = None
    try:
        founded = found(path, PAYMENT_LIFETIME, HEARTBEAT, HOLD_LIFETIME)
        tied = not keep
        processes = ForkedProcesses(founded, tied, nursery) if nursery else Processes(founded, tied)
        performance = Demo.of(founded, processes, console)
        performance.perform(payments, seed)
        if keep:
            _invite(performance)
        done = True
    except (DemoFailed, FeiqianError, AssertionError) as failure:
        kind = failure.title if isinstance(failure, FeiqianError) else type(failure).__name__
        console.print(f"{kind}: {failure}", markup=False, highlight=False, soft_wrap=True)
    finally:
        if processes is not None and not (done and keep):
            processes.stop_all()
        if done and not keep and folder is None:
            shutil.rmtree(path)
    if not done:
        typer.echo(f"demo: FAILED (logs and databases: {path})")
        raise typer.Exit(1)
    typer.echo(f"demo: OK ({performance.summary()}; seed {seed})")


def _invite(performance: Demo) -> None:
    """Print where everything answers, and lines to try."""
    from devnet.network.demo import shop_to_try
    from devnet.network.found import write_private
    from devnet.network.invitation import addresses, shell_lines

    folder, shop = performance.folder, shop_to_try()
    lines = shell_lines(folder, performance.apis, shop, performance.codes[shop.id])
    write_private(folder.path / "try.sh", lines)
    typer.echo("\nThe network is left running:")
    for service, address in addresses(folder):
        typer.echo(f"  {service:24}{address}")
    typer.echo(f"\n{lines}\n# the same lines stand in {folder.path / 'try.sh'}")
    typer.echo(f"# to stop everything: feiqian network stop {folder.path}\n")
