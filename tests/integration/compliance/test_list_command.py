"""`feiqian compliance lists` and `screen` with lists in every form."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from compliance.cli import app
from tests.list_files import public

from .test_list_keeping import BUYER, HEADER, OTHERS, catalogue, write


def run(*arguments: str | Path, text: str | None = None) -> Any:
    try:
        return CliRunner().invoke(app, list(map(str, arguments)), input=text)
    finally:
        structlog.reset_defaults()


def screened(*arguments: str | Path, **asked: str) -> dict[str, Any]:
    answered = run("screen", *arguments, "-", text=json.dumps(asked) + "\n")
    assert answered.exit_code == 0, answered.output
    answer: dict[str, Any] = json.loads(answered.stdout)
    assert answer.keys() == {"decision", "score", "matches"}
    assert 0 <= answer["score"] <= 1
    assert all(each.keys() == {"list", "entry_id", "name", "score", "reasons"} for each in answer["matches"])
    return answer


@pytest.mark.parametrize(
    ("name", "form", "listed", "entry_id"),
    [
        ("Qasim Al-Fictiti", "slices/un_consolidated.xml", "UN SC", "6908000"),
        ("Boris Vymyshlyenny", "slices/eu_consolidated.xml", "EU", "13"),
        ("Sergei Petrovich Notreal", "slices/uk_ofsi.csv", "UK OFSI", "1001"),
        ("Khalil Jarraya", "slices/csl_consolidated.csv", "OFAC SDN", "7835"),
        ("عبود عبداللطيف حسن الزمر", "slices/sdn_advanced_slice.xml", "OFAC SDN", "2677"),
        ("Ismail Haniya", "watchman/cons_prim.csv", "OFAC Consolidated", "9639"),
        ("Ayman Al-Zawahiri", "watchman/sdn.csv", "OFAC SDN", "2676"),
        ("Eric Badege", "un_sc_consolidated_2026-02-27.xml", "UN SC", "CDi.001"),
        ("Vladimir Vladimirovich Putin", "ofac_sdn_20260803.jsonl.gz", "OFAC SDN", "35096"),
    ],
)
def test_a_list_of_any_form_is_recognised_by_itself(name: str, form: str, listed: str, entry_id: str) -> None:
    answer = screened("--list", public(form), name=name, type="person")
    assert answer["decision"] == "refuse"
    assert (listed, entry_id) in {(each["list"], each["entry_id"]) for each in answer["matches"]}


def test_several_lists_and_a_folder_together() -> None:
    both = ("--list", public("slices/un_consolidated.xml"), "--list", public("slices/eu_consolidated.xml"))
    for name, listed in (("Qasim Al-Fictiti", "UN SC"), ("Boris Vymyshlyenny", "EU")):
        assert screened(*both, name=name, type="person")["matches"][0]["list"] == listed
        assert screened("--list", public("slices"), name=name, type="person")["matches"][0]["list"] == listed
    assert screened("--list", public("slices/eu_consolidated.xml"), name="Qasim Al-Fictiti", type="person") == {
        "decision": "clear",
        "score": 0.0,
        "matches": [],
    }


def test_a_bad_list_is_named_and_nothing_is_screened(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(HEADER + "TEST,7,ship,Boat,,,,x,y\n")
    for arguments in (("screen", "--list", tmp_path / "bad.csv", "-"), ("lists", "show", tmp_path / "bad.csv")):
        stopped = run(*arguments, text='{"name": "Boat", "type": "person"}\n')
        assert stopped.exit_code == 1
        assert "bad.csv: row 2: kind is" in str(stopped.output) + str(stopped.exception)
        assert "decision" not in stopped.output


def test_a_catalogue_says_category_and_limit(tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + BUYER)
    exposed = catalogue(tmp_path, file, category="pep")
    assert screened("--list", exposed, name="Wang Xiaoming", type="person")["decision"] == "hold"
    os.utime(file, (time.time() - 100, time.time() - 100))
    old = catalogue(tmp_path, file, max_age_seconds=50)
    stopped = run("screen", "--list", old, "-", text='{"name": "Zhang Wei", "type": "person"}\n')
    assert stopped.exit_code == 1
    assert "over its limit of 50 s" in str(stopped.output) + str(stopped.exception)


def test_lists_are_shown_with_what_they_hold() -> None:
    shown = run("lists", "show", public("un_sc_consolidated_2026-02-27.xml"), public("watchman/sdn.csv")).stdout
    assert "UN SC of 2026-02-27: 1003 entries with 4235 names" in shown
    assert "OFAC SDN of no date: 6839 entries" in shown
    assert "540 vessels, aircraft and the like left out" in shown
    assert "OFAC SDN of 2026-08-03: 73 entries" in run("lists", "show").stdout, "the shipped extract"


def test_differences_are_shown() -> None:
    files = (public(f"un_sc_consolidated_{day}.xml") for day in ("2025-04-19", "2026-02-27"))
    lines = run("lists", "diff", *files).stdout.splitlines()
    assert lines[-1] == "130 added, 4 removed, 2 changed"
    assert sum(line.startswith("+ ") for line in lines) == 130
    assert "- UN SC QDi.317 ABU MOHAMMED AL-JAWLANI" in lines
    assert "~ UN SC TAi.068 MOHAMMADULLAH MATI (aliases)" in lines


def test_a_service_keeps_versions_that_the_command_shows_loads_and_compares(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    service = start(sanctions_list=catalogue(tmp_path, file))
    config = next(tmp_path.glob(f"{service.settings.port}.toml"))
    running = run("lists", "load", "--config", config)
    if isinstance(service.settings.place(), Path):
        assert running.exit_code == 1
        assert "the service runs and looks by itself" in str(running.output) + str(running.exception)
    old = service.get("/v1/lists", "compliance:read").json()["lists"][0]["version"]
    service.stop()
    write(file, HEADER + OTHERS + BUYER)
    loaded = run("lists", "load", "--config", config)
    assert (loaded.exit_code, "3 entries" in loaded.stdout) == (0, True), loaded.output
    assert "3 entries" in run("lists", "show", "--config", config).stdout
    compared = run("lists", "diff", old[:12], file, "--config", config)
    assert compared.stdout == "+ TEST 3 WANG, Xiaoming\n1 added, 0 removed, 0 changed\n"
    assert screened("--config", config, name="Wang Xiaoming", type="person")["decision"] == "refuse"
    unknown = run("lists", "diff", "0" * 64, file, "--config", config)
    assert (unknown.exit_code, "0 kept versions begin so" in str(unknown.output) + str(unknown.exception)) == (1, True)


def test_the_extract_can_be_replaced_by_the_whole_list_with_its_aliases_beside_it(tmp_path: Path) -> None:
    for name in ("sdn.csv", "alt.csv"):
        shutil.copy(public(f"watchman/{name}"), tmp_path / name)
    answer = screened("--list", tmp_path, name="Muhammad Zaydan", type="person")
    assert (answer["decision"], answer["matches"][0]["entry_id"]) == ("refuse", "2674")
