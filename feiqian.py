"""The command `feiqian`: one page that loads each package's `cli.py` when it is asked for."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click
import typer

# Before anything hashes: eth-hash would settle for a slower library.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

COMMANDS = {
    "demo": ("devnet.network.cli", "demo", "A whole network on this machine settles real QR payments."),
    "network": ("devnet.network.cli", "app", "Found, start and stop a network on this machine."),
    "chain": ("devnet.chain.cli", "app", "Run the embedded chain."),
    "node": ("nodes.cli", "app", "Run an institution's node."),
    "bridge": ("bridge.cli", "app", "Run an FX provider's bridge."),
    "compliance": ("compliance.cli", "app", "Run a compliance service, or screen names."),
    "audit": ("audit.cli", "app", "Prove payments, completeness and sums."),
    "qr": ("nodes.qr.cli", "app", "Read and write payment codes."),
}


class _Lazy(click.Group):
    """Imports a package's commands only when one of them is run: `feiqian audit` needs no web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        found: Any = getattr(importlib.import_module(module), attribute)
        return typer.main.get_command(found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


main = _Lazy(name="feiqian", help="Cross-border QR payments: both currencies at once or neither.", no_args_is_help=True)

if __name__ == "__main__":
    main()
