"""`feiqian chain` and `python -m devnet.chain`: run the embedded chain as a process of its own."""

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from devnet.chain.errors import ChainError, GenesisError

KEY_VARIABLE = "FEIQIAN_SEALER_KEY"

app = typer.Typer(add_completion=False, help="The embedded chain: an EVM at Cancun rules behind JSON-RPC.")


@app.callback(invoke_without_command=True)
def run(
    genesis: Annotated[Path, typer.Option(help="Genesis file (JSON).")],
    database: Annotated[str, typer.Option(help="SQLite file; made when missing.")],
    sealer_key: Annotated[str, typer.Option(help=f"File with the key in hex, or 'env': ${KEY_VARIABLE}.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8545,
    dev: Annotated[bool, typer.Option("--dev", help="For tests: methods that move time and set state.")] = False,
    heartbeat: Annotated[float, typer.Option(min=1.0, help="Seconds between blocks when idle.")] = 5.0,
) -> None:
    """Run the chain until SIGTERM."""
    # Imported here so that the main command's help does not wait for an EVM.
    from devnet.chain.chain import open_chain
    from devnet.chain.server import serve

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("feiqian").setLevel(logging.INFO)
    try:
        chain = open_chain(read_genesis(genesis), database, read_key(sealer_key), dev, heartbeat=heartbeat)
        try:
            serve(chain, host, port, announce=lambda line: print(line, flush=True))
        finally:
            chain.close()
    except ChainError as error:
        typer.echo(f"feiqian chain: {error}", err=True)
        raise typer.Exit(1) from error


def read_genesis(path: Path) -> Any:
    """The decoded genesis file; GenesisError in one line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GenesisError(f"genesis: {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise GenesisError(f"genesis: {path} is not JSON") from error


def read_key(source: str) -> bytes:
    """32 bytes from a file with 64 hex digits, or from the environment; errors never show them."""
    try:
        text = os.environ.get(KEY_VARIABLE, "") if source == "env" else Path(source).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ChainError(f"sealer key: cannot read {source}") from error
    digits = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{64})", text.strip(), re.ASCII)
    if digits is None:
        raise ChainError("sealer key: want 64 hex digits")
    return bytes.fromhex(digits[1])
