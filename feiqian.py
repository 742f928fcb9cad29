"""The command `feiqian`: one page that loads each package's `cli.py` only when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys

# Before anything hashes: eth-hash would settle for a slower library.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

COMMANDS = {
    "demo": ("devnet.network.demo_cli", "A whole network on this machine settles real QR payments."),
    "network": ("devnet.network.cli", "Found, start and stop a network on this machine."),
    "chain": ("devnet.chain.cli", "Run the embedded chain."),
    "node": ("nodes.cli", "Run an institution's node, issue its tokens."),
    "bridge": ("bridge.cli", "Run an FX provider's bridge."),
    "compliance": ("compliance.cli", "Run a compliance service, or screen names."),
    "council": ("contracts.chain.cli", "Govern a network: propose, approve, execute, pause."),
    "audit": ("audit.cli", "Prove payments, completeness and sums."),
    "qr": ("nodes.qr.cli", "Read and write payment codes."),
}


def main() -> None:
    """Run `feiqian COMMAND ...`; without a known command, say which there are."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in COMMANDS:
        listing = "\n".join(f"  {key:12}{text}" for key, (_, text) in COMMANDS.items())
        print(f"Usage: feiqian COMMAND [...]\n\n{listing}\n\nfeiqian COMMAND --help says more.")
        sys.exit(0 if name in ("--help", "-h", "help") else 2)
    app = importlib.import_module(COMMANDS[name][0]).app
    app(args=arguments, prog_name=f"feiqian {name}")


if __name__ == "__main__":
    main()
