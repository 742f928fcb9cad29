"""The papers say what the code does: each table that repeats a fact of the code is held against it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import contracts.terms.errors as tree
from audit.verify import STEPS
from bridge.settings import BridgeSettings
from compliance.settings import ComplianceSettings
from contracts.chain.compile import compiled
from contracts.terms.errors import FeiqianError, MustHalt
from feiqian import COMMANDS
from nodes.settings import NodeSettings
from serving.client import PeerRefusal
from serving.problems import status_of
from serving.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
PAPERS = (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
SERVICE_PAGES = ("OPERATOR", "OFFICER", "AUDITOR", "WALLET")
PAGES = (*SERVICE_PAGES, "GOVERNOR")
SETTINGS: dict[str, type[ServiceSettings]] = {
    "Every service": ServiceSettings,
    "Node": NodeSettings,
    "Bridge": BridgeSettings,
    "Compliance": ComplianceSettings,
}
_BOUNDS = {"ge": "at least", "gt": "over", "le": "at most", "lt": "under"}


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows of a text, without headings and code marks."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def section(text: str, title: str) -> str:
    return text.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]


def shown_default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "none"
    if field.default is PydanticUndefined:
        return "must be set"
    if isinstance(field.default, Path):
        return f"the shipped {field.default.name}"
    return str(field.default) or "empty"


def shown_bounds(field: FieldInfo) -> set[str]:
    """As a page must say them, such as "at least 5"."""
    return {
        f"{words} {getattr(bound, name)}"
        for bound in field.metadata
        for name, words in _BOUNDS.items()
        if hasattr(bound, name)
    }


@pytest.mark.parametrize("title", SETTINGS)
def test_the_operator_finds_every_setting_with_its_default_bounds_and_meaning(title: str) -> None:
    kind = SETTINGS[title]
    shared = set() if kind is ServiceSettings else set(ServiceSettings.model_fields)
    fields = {name: field for name, field in kind.model_fields.items() if name not in shared}
    _heading, *told = rows(section(page("OPERATOR"), title))
    assert [row[0] for row in told] == list(fields)
    for name, default, meaning in told:
        assert default == shown_default(fields[name]), name
        assert meaning, name
        assert all(bound in meaning for bound in shown_bounds(fields[name])), name
        assert meaning.startswith(fields[name].description or ""), name


def errors() -> Iterator[type[FeiqianError]]:
    for kind in vars(tree).values():
        if not inspect.isclass(kind) or not issubclass(kind, FeiqianError):
            continue
        if kind is not FeiqianError and not issubclass(kind, MustHalt):
            yield kind
    yield PeerRefusal


def test_the_wallet_developer_finds_every_error_with_its_status_reason_and_title() -> None:
    _heading, *told = rows(section(page("WALLET"), "Every problem"))
    expected = [[k.kind(), str(status_of(k.__new__(k))), k.reason, k.title] for k in errors()]
    expected[-1][2] = "the peer's"
    assert told == expected


def test_the_auditor_finds_every_step_of_the_verification() -> None:
    _heading, *told = rows(section(page("AUDITOR"), "The steps"))
    assert [row[0] for row in told] == list(STEPS)


def sources() -> Iterator[str]:
    for package in ("nodes", "bridge", "compliance"):
        yield from (file.read_text() for file in (ROOT / package).rglob("endpoints.py"))


def routes() -> Iterator[re.Pattern[str]]:
    """Every path that a service answers, with room for what stands in its braces."""
    yield re.compile("/health|/ready|/docs|/openapi.json")
    for source in sources():
        for prefix in re.findall(r'prefix="([^"]+)"', source) or [""]:
            for path in re.findall(r'@\w+\.(?:get|post)\("([^"]*)"', source):
                yield re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(prefix + path)))


def blocks(name: str) -> str:
    """The shell lines of a page."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL))


def test_the_governor_finds_every_call_that_the_council_makes() -> None:
    """The registry's functions are all the council's; of the others those that ask for it."""
    council = {
        "council": {"set_governors", "set_guardian", "unpause"},
        "ledger": {"define_currency", "replace_settlement"},
    }
    functions = {
        f"{name}.{entry['name']}({', '.join(each['name'] for each in entry['inputs'])})"
        for name in (*council, "participants")
        for entry in compiled(name.capitalize()).abi
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
        if entry["name"] in council.get(name, {entry["name"]})
    }
    _heading, *told = rows(section(page("GOVERNOR"), "Calls"))
    assert {row[0] for row in told} == functions


@pytest.mark.parametrize("name", SERVICE_PAGES)
def test_every_path_that_a_page_asks_for_is_answered(name: str) -> None:
    known = list(routes())
    asked = {path.rstrip("/") for path in re.findall(r"/(?:peer/)?v1/[\w/${}.-]+", page(name))}
    assert asked
    assert [path for path in sorted(asked) if not any(route.fullmatch(path) for route in known)] == []


def test_every_scope_stands_in_a_page() -> None:
    scopes = {scope for source in sources() for scope in re.findall(r'require\("([a-z:]+)"\)', source)}
    told = "".join(map(page, PAGES))
    assert scopes
    assert [scope for scope in sorted(scopes) if f"`{scope}`" not in told] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_a_page_runs_exists_with_its_options(name: str) -> None:
    lines = re.sub(r"\\\n", " ", blocks(name))
    for first, rest in re.findall(r"feiqian ([a-z]+)([^\n|;)]*)", lines):
        command: Any = typer.main.get_command(importlib.import_module(COMMANDS[first][0]).app)
        words = rest.split()
        while below := getattr(command, "commands", {}):
            assert words[0] in below, (first, words)
            command, words = below[words[0]], words[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, (first, words)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short(name: str) -> None:
    assert len(page(name).splitlines()) <= 150


def test_the_state_diagram_is_that_of_the_transition_table() -> None:
    specification = importlib.util.spec_from_file_location("states", ROOT / "docs" / "states.py")
    assert specification is not None
    assert specification.loader is not None
    states = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(states)
    assert (ROOT / "docs" / "STATES.md").read_text() == states.page(), "run: .venv/bin/python docs/states.py"


def test_every_file_that_a_paper_names_is_there() -> None:
    missing = []
    for paper in PAPERS:
        for target in re.findall(r"\]\(([^)#]+)\)", paper.read_text()):
            if "://" not in target and not (paper.parent / target).exists():
                missing.append(f"{paper.name} -> {target}")
    assert missing == []
