"""`feiqian ... token`: exactly the scopes that the service's endpoints ask for, another is refused with the list."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SERVICES = {"node": "nodes", "bridge": "bridge", "compliance": "compliance"}


def asked_for(package: str) -> set[str]:
    """The scopes in the sources of a service's endpoints."""
    sources = [file.read_text() for file in (ROOT / package).rglob("endpoints.py")]
    return {scope for source in sources for scope in re.findall(r'(?:require\(|LEAD = )"([^"]+)"', source)}


@pytest.mark.parametrize("service", SERVICES)
def test_the_scopes_are_those_that_endpoints_ask_for(service: str) -> None:
    cli = importlib.import_module(f"{SERVICES[service]}.cli")
    assert set(cli.SCOPES) == asked_for(SERVICES[service])
    shown = CliRunner().invoke(cli.app, ["token", "--help"], terminal_width=1_000).output
    assert all(scope in shown for scope in cli.SCOPES)


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_scope_is_refused_with_the_list(service: str, tmp_path: Path) -> None:
    cli = importlib.import_module(f"{SERVICES[service]}.cli")
    for scopes in (["nonsense"], [cli.SCOPES[0], "nonsense"]):
        asked = [part for scope in scopes for part in ("--scope", scope)]
        options = ["--config", str(tmp_path / "none.toml"), "--subject", "me", *asked]
        done = CliRunner().invoke(cli.app, ["token", *options])
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1
        assert "'nonsense'" in done.stderr
        assert all(scope in done.stderr for scope in cli.SCOPES)
