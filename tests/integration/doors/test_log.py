"""The log of decisions, handed over and held against the head in the evidence of a payment that settled."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from compliance.cli import app

from .conftest import COMPLIANCE, CREDITOR, DEBTOR, NODE, Network


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["log", *map(str, arguments)])


def test_the_log_leads_to_the_head_that_the_evidence_of_a_payment_has(network: Network, tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer " + network.token(NODE, "auditor", "audit")}
    url = f"{network.url(NODE)}/v1/payments/{network.known['uetr']}/evidence"
    evidence, log = tmp_path / "evidence.json", tmp_path / "log.jsonl"
    evidence.write_bytes(network.http.get(url, headers=headers).content)
    log.write_text(run("export", "--config", network.folder.settings(COMPLIANCE)).stdout)
    own, other = network.account(DEBTOR.slug), network.account(CREDITOR.slug)
    verified = run("verify", log, "--evidence", evidence, "--account", own)
    assert verified.exit_code == 0, verified.output
    assert "attested in evidence.json" in verified.stdout
    wrong = run("verify", log, "--evidence", evidence, "--account", other)
    assert (wrong.exit_code, "no beginning of this log" in wrong.output) == (1, True), "another institution's log"
    nobody = run("verify", log, "--evidence", evidence)
    assert (nobody.exit_code, "one of the members" in nobody.output) == (1, True)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[0]["record"]["outcome"] = "refuse"
    log.write_text("".join(json.dumps(each) + "\n" for each in lines))
    altered = run("verify", log, "--evidence", evidence, "--account", own)
    assert (altered.exit_code, "row 1 was altered" in altered.output) == (1, True)
