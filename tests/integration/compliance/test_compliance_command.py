"""The command: the service as a process with real keystores, its tokens, names at the prompt, wrong settings."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from typer.testing import CliRunner

from compliance.cli import app
from serving.keys import write_keystore
from tests import plain_http
from tests.databases import place, text_of

ROOT = Path(__file__).parents[3]
ACCOUNT = "0x" + "1" * 40
PIN = {"address": "0x" + "5e" * 20, "codeHash": "0x" + "00" * 32}
NETWORK = {
    "name": "test",
    "chainId": 7,
    "timestamp": 0,
    "gasLimit": 30_000_000,
    "validators": [ACCOUNT],
    "alloc": {},
    "contracts": dict.fromkeys(("council", "participants", "ledger", "settlement"), PIN),
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file with keystores, of an institution whose chain node does not answer."""
    for number, key in enumerate(("compliance", "message", "token"), start=1):
        write_keystore(tmp_path / f"{key}.json", bytes([number]) * 32, "secret", cost=2)
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "compliance.toml"
    values = {
        "name": "compliance of a test",
        "account": ACCOUNT,
        "port": port,
        "endpoint": f"http://127.0.0.1:{port}",
        "database": text_of(place(tmp_path / "compliance.db")),
        "network": str(tmp_path / "network.json"),
        "chain_url": "http://127.0.0.1:1",
        "message_key": str(tmp_path / "message.json"),
        "token_key": str(tmp_path / "token.json"),
        "compliance_key": str(tmp_path / "compliance.json"),
        "password_file": str(tmp_path / "password"),
    }
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return file


@pytest.fixture
def endpoint(settings: Path) -> Iterator[str]:
    """The service as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "feiqian", "compliance", "serve", "--config", str(settings)], cwd=ROOT
    )
    [url] = [line.split('"')[1] for line in settings.read_text().splitlines() if line.startswith("endpoint")]
    try:
        while not _healthy(url):
            assert process.poll() is None, "the service ended"
            threading.Event().wait(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def _healthy(url: str) -> bool:
    try:
        return plain_http.get(f"{url}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def run(*arguments: str, text: str | None = None) -> Any:
    try:
        return CliRunner().invoke(app, list(arguments), input=text)
    finally:
        structlog.reset_defaults()  # the command sent the logs to the runner's own standard error


def test_the_service_answers_without_a_chain_but_is_not_ready_and_believes_no_caller(
    endpoint: str, settings: Path
) -> None:
    ready = plain_http.get(f"{endpoint}/ready")
    assert ready.status_code == 503, ready.text
    assert (ready.headers["retry-after"], ready.json()["missing"]) == ("1", "chain")

    def get(path: str, *scopes: str) -> httpx2.Response:
        asked = [part for scope in scopes for part in ("--scope", scope)]
        token = run("token", "--config", str(settings), "--subject", "officer", *asked).stdout.strip()
        return plain_http.get(endpoint + path, headers={"Authorization": f"Bearer {token}"})

    assert get("/v1/decisions", "compliance:read").json() == {"decisions": [], "next_cursor": None}
    assert get("/v1/decisions", "compliance:officer").status_code == 403
    paths = plain_http.get(f"{endpoint}/openapi.json").json()["paths"]
    assert {"/peer/v1/screenings", "/peer/v1/attestations", "/v1/openings/{uetr}"} <= paths.keys()
    unsigned = plain_http.post(f"{endpoint}/peer/v1/attestations", json={"requests": []})
    assert unsigned.status_code == 401
    assert unsigned.headers["content-type"] == "application/problem+json"
    again = run("replay", "--config", str(settings))
    assert (again.exit_code, again.stdout) == (0, "0 decisions re-run to the same result; 0 faults\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('compliance_key = "', 'compliance_key = "/nowhere', "no keystore at"),
        ('account = "0x', 'account = "', "account:"),
        ('network = "', 'network = "/nowhere', "network file"),
        ("port = ", 'policy = "/nowhere"\nport = ', "policy /nowhere"),
        ("port = ", 'sanctions_list = "/nowhere"\nport = ', "list /nowhere"),
        ("port = ", "finality = 'maybe'\nport = ", "finality:"),
        ("port = ", "colour = 'red'\nport = ", "colour:"),
    ],
)
def test_a_wrong_setting_stops_the_start_in_one_line(settings: Path, old: str, new: str, said: str) -> None:
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new, 1))
    stopped = run("serve", "--config", str(settings))
    assert stopped.exit_code != 0
    [line] = (stopped.output.strip() or str(stopped.exception)).splitlines()
    assert said in line


def test_names_at_the_prompt() -> None:
    asked = [
        {"name": "Vladimir Putin", "type": "person", "birth_date": "1952-10-07", "nationality": "RU", "gender": "male"},
        {"name": "Vladimir Putyn", "type": "person"},
        {"name": "Somchai Jaidee", "type": "person"},
    ]
    answered = run("screen", "-", text="\n".join(map(json.dumps, asked)) + "\n\n")
    refused, held, clear = map(json.loads, answered.stdout.splitlines())
    assert [each["decision"] for each in (refused, held, clear)] == ["refuse", "hold", "clear"]
    assert (refused["score"], clear["score"], clear["matches"]) == (1.0, 0.0, [])
    best = refused["matches"][0]
    assert (best["list"], best["entry_id"], best["name"]) == ("OFAC SDN", "35096", "PUTIN, Vladimir")
    assert "the birth year agrees" in best["reasons"]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"name": "x"}',
        '{"name": "x", "type": "ship"}',
        '{"name": 7, "type": "person"}',
        '{"name": "x", "type": "person", "colour": "red"}',
        '{"name": "!", "type": "person"}',
        json.dumps({"name": "x" * 1_000_000, "type": "person"}),
    ],
)
def test_a_bad_line_is_named(line: str) -> None:
    stopped = run("screen", "-", text='{"name": "Somchai Jaidee", "type": "person"}\n' + line)
    assert stopped.exit_code != 0
    assert "line 2" in stopped.output + str(stopped.exception)


def test_a_line_nested_without_end_is_refused_and_does_not_crash() -> None:
    """In a process of its own: a reader that recurses would take this one with it."""
    command = [sys.executable, "-m", "feiqian", "compliance", "screen", "-"]
    ended = subprocess.run(command, cwd=ROOT, input="[" * 100_000, capture_output=True, text=True, check=False)
    assert ended.returncode > 0
    assert "line 1" in ended.stderr
