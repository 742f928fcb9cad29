"""`feiqian chain` refuses to start, in one line that names the reason and shows no key."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from typer.testing import CliRunner

from devnet.chain import open_chain
from devnet.chain.cli import app

KEY = "11" * 32
GENESIS: dict[str, Any] = {
    "chainId": 777,
    "timestamp": 1_700_000_000,
    "gasLimit": 60_000_000,
    "validators": [Account.from_key(KEY).address],
    "alloc": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "genesis.json").write_text(json.dumps(GENESIS))
    (tmp_path / "key").write_text(KEY)
    return tmp_path


def refusal(folder: Path, *options: str, key: str | None = None) -> str:
    """What the command says, having refused."""
    files = ["--genesis", str(folder / "genesis.json"), "--database", str(folder / "chain.db")]
    secret = ["--sealer-key", str(folder / "key") if key is None else "env"]
    run = CliRunner().invoke(app, [*files, *secret, *options], env={"FEIQIAN_SEALER_KEY": key or ""})
    assert run.exit_code == 1
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    return run.stderr


def test_another_networks_genesis(folder: Path) -> None:
    open_chain(GENESIS, folder / "chain.db", bytes.fromhex(KEY)).close()
    (folder / "genesis.json").write_text(json.dumps({**GENESIS, "chainId": 778}))
    assert "the database's chain began as 0x" in refusal(folder)


def test_a_genesis_file_that_is_none(folder: Path) -> None:
    (folder / "genesis.json").write_text("{")
    assert "is not JSON" in refusal(folder)
    (folder / "genesis.json").unlink()
    assert "No such file" in refusal(folder)


@pytest.mark.parametrize("key", ["12" * 32, "5e1f", "11" * 33, ""])
def test_a_key_that_does_not_fit(folder: Path, key: str) -> None:
    said = refusal(folder, key=key)
    assert "not a validator" in said or "want 64 hex digits" in said
    assert not key or key not in said


def test_a_missing_key_file(folder: Path) -> None:
    (folder / "key").unlink()
    assert "cannot read" in refusal(folder)


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / "chain.db").write_bytes(b"not a database, but long enough to look at" * 100)
    assert "not a database" in refusal(folder)


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen" in refusal(folder, "--port", str(taken.getsockname()[1]))
