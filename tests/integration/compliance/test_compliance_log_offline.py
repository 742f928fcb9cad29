"""A log that was handed over, checked by the command against the head that an attestation has: nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from compliance.cli import app
from compliance.client import SignedAttestation
from compliance.log.tree import leaf_hash
from contracts.terms.commitments import canonical_json

ROWS = 7


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["log", *map(str, arguments)])


def told(result: Result) -> str:
    """What a failed command said, without a traceback."""
    assert result.exit_code == 1, result.output
    return result.output


class Exported:
    """A service's log of ROWS rows; the head of the first `size` stands in an attestation."""

    def __init__(self, service: Any, folder: Path) -> None:
        self.service, self.file = service, folder / "log.jsonl"
        self.attested = self._attest()
        self.size = service.get("/v1/log/anchors", "audit").json()["anchors"][0]["size"]
        service.compliance.screen([service.question() for _ in range(ROWS - self.size)])
        exported = run("export", "--config", folder / f"{service.settings.port}.toml")
        assert exported.exit_code == 0, exported.output
        self.lines = [json.loads(line) for line in exported.stdout.splitlines()]
        self.write(self.lines)

    def _attest(self) -> str:
        asked = [self.service.question() for _ in range(4)]
        decisions = self.service.compliance.screen(asked)
        batch, own = self.service.batch(self.service.terms(asked[0], decisions[0]))
        answer = self.service.attest(batch, *own)
        assert isinstance(answer, SignedAttestation), answer
        return "0x" + answer.attestation.log_head.hex()

    @property
    def sized(self) -> str:
        return f"{self.size}:{self.attested}"

    def write(self, lines: list[Any]) -> Path:
        self.file.write_text("".join(json.dumps(each) + "\n" for each in lines))
        return self.file

    def verify(self, lines: list[Any], head: str) -> Result:
        return run("verify", self.write(lines), "--head", head)


@pytest.fixture
def log(start: Any, tmp_path: Path) -> Exported:
    return Exported(start(), tmp_path)


def altered(lines: list[Any], place: int) -> None:
    lines[place]["record"]["outcome"] = "refuse"


def hidden(lines: list[Any], place: int) -> None:
    """The hash as well."""
    altered(lines, place)
    lines[place]["leaf"] = "0x" + leaf_hash(canonical_json(lines[place]["record"])).hex()


def swapped(lines: list[Any], place: int) -> None:
    lines[place], lines[place + 1] = lines[place + 1], lines[place]


def swapped_unseen(lines: list[Any], place: int) -> None:
    """With the numbers of the places where they stand now."""
    swapped(lines, place)
    for each in (place, place + 1):
        lines[each]["number"] = each + 1


def exchanged(lines: list[Any], place: int) -> None:
    """The records alone."""
    one, other = lines[place], lines[place + 1]
    one["record"], other["record"] = other["record"], one["record"]


def dropped(lines: list[Any], place: int) -> None:
    del lines[place]


def dropped_unseen(lines: list[Any], place: int) -> None:
    del lines[place]
    for number, line in enumerate(lines, start=1):
        line["number"] = number


def doubled(lines: list[Any], place: int) -> None:
    lines.insert(place, lines[place])


CRIMES: dict[str, tuple[Callable[[list[Any], int], None], str]] = {
    "altered": (altered, "row 2 was altered: it is not what was logged"),
    "with its hash": (hidden, "one of rows 1 to 4 was altered"),
    "swapped": (swapped, "row 2 is out of its order: row 3 stands in its place"),
    "swapped with the numbers": (swapped_unseen, "one of rows 1 to 4 was altered"),
    "exchanged": (exchanged, "row 2 is what was logged as row 3: rows were put in another order"),
    "dropped": (dropped, "row 2 is missing: row 3 stands in its place"),
    "dropped with its number": (dropped_unseen, "one of rows 1 to 4 was altered"),
    "doubled": (doubled, "row 2 stands twice, or out of its order: row 3 was due"),
}


def test_a_log_as_it_was_attested_is_verified(log: Exported) -> None:
    assert (log.size, len(log.lines)) == (4, ROWS)
    for head in (log.attested, log.sized):
        verified = log.verify(log.lines, head)
        assert verified.exit_code == 0, verified.output
        assert f"the first 4 rows have the head 0x{log.attested[2:18]}" in verified.stdout
        assert f"{ROWS} rows, none altered, missing or out of order; 0x" in verified.stdout
    alone = run("verify", log.write(log.lines))
    assert (alone.exit_code, "may have made all of it" in alone.stdout) == (0, True)
    head = log.service.get("/v1/log", "audit").json()["root"]
    assert head in alone.stdout


@pytest.mark.parametrize("crime", CRIMES)
def test_the_first_row_that_is_wrong_is_named(log: Exported, crime: str) -> None:
    commit, said = CRIMES[crime]
    commit(log.lines, 1)
    assert said in told(log.verify(log.lines, log.sized))
    told(log.verify(log.lines, log.attested))


def test_a_log_that_ends_early_lacks_its_next_row(log: Exported) -> None:
    assert "row 3 is missing: the head" in told(log.verify(log.lines[:2], log.sized))
    assert "look from row 1" in told(log.verify(log.lines[:2], log.attested))
    early = log.verify(log.lines[:4], log.sized)
    assert early.exit_code == 0, "what came after the head, no attestation knows"


def test_an_earlier_head_that_is_right_narrows_it(log: Exported) -> None:
    earlier = log.service.get("/v1/log/inclusion?number=1&size=2", "audit").json()["root"]
    hidden(log.lines, 2)
    result = run("verify", log.write(log.lines), "--head", f"2:{earlier}", "--head", log.sized)
    assert "one of rows 3 to 4 was altered" in told(result)
    result = run("verify", log.file, "--head", earlier, "--head", log.attested)
    assert "rows 1 to 2 are as attested, so look from row 3" in told(result)


def test_pages_of_the_service_are_the_log_as_well(log: Exported) -> None:
    first = log.service.get("/v1/log/entries?limit=5", "audit").json()
    rest = log.service.get(f"/v1/log/entries?cursor={first['next_cursor']}", "audit").json()
    verified = log.verify([first, rest], log.sized)
    assert (verified.exit_code, verified.stdout[:11]) == (0, "the first 4")
    assert [each["leaf"] for each in first["entries"]] == [each["leaf"] for each in log.lines[:5]]


def test_proofs_are_those_of_the_service_and_are_checked_without_the_log(log: Exported, tmp_path: Path) -> None:
    for asked, query in (
        (("--number", 3, "--size", log.size), f"inclusion?number=3&size={log.size}"),
        (("--number", ROWS), f"inclusion?number={ROWS}"),
        (("--old", log.size), f"consistency?old={log.size}"),
    ):
        proof = json.loads(run("prove", log.file, *asked).stdout)
        assert proof == log.service.get(f"/v1/log/{query}", "audit").json()
        file = tmp_path / "proof.json"
        file.write_text(json.dumps(proof))
        heads = () if asked == ("--number", ROWS) else ("--head", log.sized)
        verified = run("verify", file, *heads)
        shown = " is in the log of " if "record" in proof else " begins with that of "
        assert (verified.exit_code, shown in verified.stdout) == (0, True), verified.output
        if heads:
            assert "other head" in told(run("verify", file, "--head", "0x" + "5" * 64))
        broken = dict(proof)
        if "record" in broken:
            broken["record"] = {**broken["record"], "outcome": "refuse"}
        else:
            broken["old_root"] = broken["root"]
        file.write_text(json.dumps(broken))
        told(run("verify", file, *heads))


@pytest.mark.parametrize("crime", ["altered", "swapped", "dropped"])
def test_nothing_is_proven_of_a_log_that_is_none(log: Exported, crime: str) -> None:
    CRIMES[crime][0](log.lines, 1)
    assert CRIMES[crime][1] in told(run("prove", log.write(log.lines), "--number", 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1 is no entry of a log"),
        ("[]", "line 1 is no entry of a log"),
        ('{"number": 1, "record": {}}', "line 1 is no entry of a log"),
        ('{"number": "1", "record": {}, "leaf": "0x"}', "line 1 is no entry of a log"),
        ('{"proof": 7, "record": {}}', "not a proof of inclusion or consistency"),
        ('{"proof": []}', "not a proof of inclusion or consistency"),
    ],
)
def test_what_is_no_log_is_said(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(content)
    assert said in told(run("verify", file))
    assert "No such file" in told(run("verify", tmp_path / "nothing"))
    assert "64 hex digits are needed" in told(run("verify", file, "--head", "0x7"))
    assert "either --number or --old" in told(run("prove", file))
