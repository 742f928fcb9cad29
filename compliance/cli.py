"""`feiqian compliance`: run the service, issue its tokens, screen names, re-run decisions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from compliance.lists.cli import app as lists_app
from compliance.lists.cli import lists_of
from compliance.log.cli import app as log_app
from compliance.names.judge import Match
from compliance.policy import SHIPPED_POLICY, load_policy
from compliance.screening.questions import check_party
from compliance.screening.rulebook import RuleBook, rule_book
from contracts.terms.errors import FeiqianError
from contracts.terms.parties import Party

app = typer.Typer(no_args_is_help=True, help="The compliance service: screening and attestation.")
app.add_typer(lists_app, name="lists")
app.add_typer(log_app, name="log")

SCOPES = ("compliance:read", "compliance:officer", "compliance:lead", "audit")
ConfigOption = Annotated[Path, typer.Option(help="the service's settings, a TOML file")]
_OPTIONAL = ("birth_date", "nationality", "gender", "identification")
_QUESTION = {"name", "type", *_OPTIONAL}


@app.command()
def serve(config: ConfigOption) -> None:
    """Run the service until it is told to end."""
    from compliance.app import create_app
    from compliance.settings import ComplianceSettings
    from serving.run import run_service

    run_service(ComplianceSettings, config, create_app)


@app.command()
def token(
    config: ConfigOption,
    subject: Annotated[str, typer.Option(help="whom the token names")],
    scope: Annotated[list[str], typer.Option(help=f"one of {', '.join(SCOPES)}; may be repeated")],
    lifetime: Annotated[int, typer.Option(min=1, max=31_536_000, help="seconds")] = 3600,
) -> None:
    """Issue a bearer token for this service."""
    from compliance.settings import ComplianceSettings
    from serving.run import issue_token

    print(issue_token(ComplianceSettings, SCOPES, config, subject, scope, lifetime))


@app.command()
def screen(
    source: Annotated[str, typer.Argument(help="a file of JSON lines, or - for standard input")] = "-",
    sanctions_list: Annotated[
        list[Path] | None,
        typer.Option("--list", help="a list to screen against, in any form that is known; may be repeated"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="a service's settings: its lists where none is named, and its policy")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="the policy whose thresholds decide")] = None,
) -> None:
    """Screen names: JSON lines {"name", "type", "birth_date"?, "nationality"?, "gender"?, "identification"?} in,
    decisions out."""
    from compliance.settings import ComplianceSettings
    from serving.lasting import spare_what_lasts
    from serving.settings import load_settings

    settings = load_settings(ComplianceSettings, config) if config else None
    try:
        rules = load_policy(policy or (settings.policy if settings else SHIPPED_POLICY))
        book = rule_book(rules, lists_of(sanctions_list or [], settings))
        spare_what_lasts()
        for number, line in enumerate(_lines(source), start=1):
            print(json.dumps(_screened(line, number, book), ensure_ascii=False))
    except FeiqianError as failure:
        sys.exit(failure.detail)


@app.command()
def replay(config: ConfigOption) -> None:
    """Run every stored decision again and follow the log's chain; exit code 1 when anything differs.

    The service may run meanwhile.
    """
    from compliance.service import DecisionsService
    from compliance.settings import ComplianceSettings
    from serving.database import DatabaseReader
    from serving.keys import KeyUnreadable
    from serving.settings import load_settings, stop

    try:
        place = load_settings(ComplianceSettings, config).place()
        if isinstance(place, Path) and not place.is_file():
            stop(f"there is no database {place}")
        with closing(DatabaseReader(place)) as database:
            replayed = DecisionsService(database).replay()
    except (FeiqianError, KeyUnreadable) as failure:
        stop(f"the decisions cannot be read: {failure}")
    for fault in replayed.faults:
        print(fault, file=sys.stderr)
    print(f"{replayed.same} decisions re-run to the same result; {len(replayed.faults)} faults")
    raise typer.Exit(1 if replayed.faults else 0)


def _lines(source: str) -> Iterator[str]:
    if source == "-":
        yield from _not_blank(sys.stdin)
        return
    try:
        with Path(source).open(encoding="utf-8") as file:
            yield from _not_blank(file)
    except OSError as failure:
        sys.exit(f"{source}: {failure.strerror}")


def _not_blank(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line.strip())


def _screened(line: str, number: int, book: RuleBook) -> dict[str, Any]:
    party, policy = _party(line, number), book.policy
    matches = book.weighing.of_party(party, book.names.matches(party), 0, policy)
    score = matches[0].score if matches else 0
    decision = "refuse" if score >= policy.refuse_score else "hold" if score >= policy.hold_score else "clear"
    return {"decision": decision, "score": score / 1000, "matches": [_match(match) for match in matches]}


def _party(line: str, number: int) -> Party:
    from serving.bodies import check_json

    try:
        check_json(line.encode())
    except FeiqianError as failure:
        sys.exit(f"line {number}: {failure.detail}")
    asked = json.loads(line)
    if not isinstance(asked, dict) or not {"name", "type"} <= asked.keys() <= _QUESTION:
        sys.exit(f"line {number}: an object with name and type, and perhaps {', '.join(_OPTIONAL)}, is needed")
    if not all(isinstance(value, str) for value in asked.values()):
        sys.exit(f"line {number}: all values are texts")
    party = Party(asked["name"], asked["type"], **{name: asked.get(name, "") for name in _OPTIONAL})
    try:
        check_party(f"line {number}", party)
    except FeiqianError as failure:
        sys.exit(failure.detail)
    return party


def _match(match: Match) -> dict[str, Any]:
    return {
        "list": match.list_name,
        "entry_id": match.entry_id,
        "name": match.name,
        "score": match.score / 1000,
        "reasons": list(match.reasons),
    }
