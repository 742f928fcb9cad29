"""`feiqian compliance log`: hand over the log, and check one offline against heads that stand in attestations."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from compliance.log.exported import exported, read_log
from compliance.log.offline import (
    Head,
    check_log,
    check_proof,
    consistency_document,
    inclusion_document,
    read_proof,
)
from contracts.terms.errors import FeiqianError, Malformed
from contracts.terms.evidence import MAX_EVIDENCE_BYTES, read_evidence

app = typer.Typer(no_args_is_help=True, help="The log of decisions and acts: hand it over, prove it, check it offline.")

_HEAD = re.compile(r"(?:(0|[1-9][0-9]{0,17}):)?0x([0-9a-f]{64})", re.ASCII)
LogFile = Annotated[Path, typer.Argument(metavar="LOG.jsonl", help="an exported log, or pages of /v1/log/entries")]


@app.command()
def export(config: Annotated[Path, typer.Option(help="the service's settings, a TOML file")]) -> None:
    """Write the whole log, which names nobody, as JSON lines. The service may run meanwhile."""
    from compliance.settings import ComplianceSettings
    from serving.database import DatabaseReader
    from serving.keys import KeyUnreadable
    from serving.settings import load_settings, stop

    try:
        place = load_settings(ComplianceSettings, config).place()
        if isinstance(place, Path) and not place.is_file():
            stop(f"there is no database {place}")
        with closing(DatabaseReader(place)) as database, database.read() as connection:
            for line in exported(connection):
                print(line)
    except (FeiqianError, KeyUnreadable) as failure:
        stop(f"the log cannot be read: {failure}")


@app.command()
def verify(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="an exported log, or a proof")],
    head: Annotated[list[str] | None, typer.Option(help="an attested head, 0x… or SIZE:0x…; may be repeated")] = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(help="evidence whose attestations have heads; may be repeated")
    ] = None,
    account: Annotated[str, typer.Option(help="whose attestations of the evidence, 0x…")] = "",
) -> None:
    """Check a log, or a proof of a row or of growth, against attested heads; exit code 1 names what is wrong first.

    That the evidence itself is true, `feiqian audit verify` proves.
    """
    try:
        heads = [*map(_head, head or []), *(_attested(each, account) for each in evidence or [])]
        proof = read_proof(source)
        if proof is not None:
            print(check_proof(proof, heads) + _against(heads))
            return
        checked = check_log(read_log(source), heads)
    except FeiqianError as failure:
        sys.exit(failure.detail)
    for attested, size in checked.heads:
        print(f"the first {size} rows have the head {attested}")
    print(
        f"{checked.end.size} rows, none altered, missing or out of order{_against(heads)}; 0x{checked.end.root.hex()}"
    )


@app.command()
def prove(
    source: LogFile,
    number: Annotated[int | None, typer.Option(help="prove that this row is in the log")] = None,
    old: Annotated[int | None, typer.Option(help="prove that the log only grew since it had so many rows")] = None,
    size: Annotated[int | None, typer.Option(help="the log of so many rows; all without")] = None,
) -> None:
    """Write the proof of a row, or of growth, as JSON; `verify` checks it without the log."""
    try:
        if (number is None) == (old is None):
            raise Malformed("either --number or --old is needed")
        entries = read_log(source)
        check_log(entries, [])
        if number is not None:
            print(json.dumps(inclusion_document(entries, number, size)))
        else:
            assert old is not None, "one of both is there"
            print(json.dumps(consistency_document(entries, old, size)))
    except FeiqianError as failure:
        sys.exit(failure.detail)


def _against(heads: Sequence[Head]) -> str:
    return "" if heads else " (no attested head was given: whoever made this file may have made all of it)"


def _head(text: str) -> Head:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise Malformed(f"--head {text[:80]}: 0x and 64 hex digits are needed, perhaps with the size and : before them")
    size, root = found.groups()
    return Head(bytes.fromhex(root), int(size) if size else None, "as given")


def _attested(path: Path, account: str) -> Head:
    """The head in the attestation of a member."""
    try:
        with path.open("rb") as file:
            found = read_evidence(file.read(MAX_EVIDENCE_BYTES + 1))
    except OSError as failure:
        raise Malformed(f"{path}: {failure.strerror or failure}") from failure
    except Malformed as failure:
        raise Malformed(f"{path}: {failure.detail}") from failure
    members = found.batch.members
    if account not in members or len(found.endorsements) != len(members):
        raise Malformed(f"{path}: --account must be one of the members that attested: {', '.join(members)}")
    attestation = found.endorsements[members.index(account)].attestation
    return Head(attestation.log_head, None, f"attested in {path.name}")
