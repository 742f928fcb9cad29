"""`feiqian compliance lists`: look at lists, load them, and see what differs."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.lists.catalogue import ConfiguredList, load_catalogue
from compliance.lists.difference import difference
from compliance.lists.entries import ListEntry, SanctionsList
from compliance.lists.keeping import KeptList, ListKeeper, opened, require_fresh, together
from compliance.lists.listed import Listed
from compliance.lists.loader import SHIPPED_LIST, load_list
from contracts.terms.errors import FeiqianError, Malformed, Unavailable
from serving.database import DatabaseReader

if TYPE_CHECKING:
    from compliance.settings import ComplianceSettings

app = typer.Typer(no_args_is_help=True, help="Lists: what they hold, loading them, what differs.")

ConfigOption = Annotated[Path, typer.Option(help="the service's settings, a TOML file")]
_VERSION = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


@app.command()
def show(
    sources: Annotated[list[Path] | None, typer.Argument(help="files or folders; those of --config if none")] = None,
    config: Annotated[Path | None, typer.Option(help="a service's settings, for what it keeps")] = None,
) -> None:
    """Say what lists hold: entries, names, date of the issue, version. A wrong one is named (exit code 1)."""
    try:
        for each in _kept(sources or [], _settings(config)):
            print(_told(each))
    except FeiqianError as failure:
        sys.exit(failure.detail)


@app.command()
def load(config: ConfigOption) -> None:
    """Look at all sources of a stopped service and keep what they have. (A running one does so by itself.)"""
    from compliance.app import MIGRATIONS
    from compliance.policy import load_policy
    from serving.database import Database, DatabaseInUse
    from serving.migrations import migrate

    settings = _settings(config)
    assert settings is not None, "the option is needed"
    try:
        policy, catalogue = load_policy(settings.policy), load_catalogue(settings.sanctions_list)
        with closing(Database(settings.place(), settings.state())) as database:
            migrate(database, MIGRATIONS)
            keeper = ListKeeper(database, policy, catalogue)
            keeper.look(everything=True)
        for each in keeper.lists:
            print(_told(each))
        keeper.require_fresh()
    except DatabaseInUse:
        sys.exit("the service runs and looks by itself; POST /v1/lists/look makes it look now")
    except FeiqianError as failure:
        sys.exit(failure.detail)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="a file or folder, or with --config a version (8 hex digits or more)")],
    new: Annotated[str, typer.Argument(help="likewise")],
    config: Annotated[Path | None, typer.Option(help="a service's settings, for versions that it keeps")] = None,
) -> None:
    """Say what one list has and another has not: + added, - removed, ~ changed and what."""
    settings = _settings(config)
    try:
        found = difference(_entries(old, settings), _entries(new, settings))
    except FeiqianError as failure:
        sys.exit(failure.detail)
    for sign, entries in (("+", found.added), ("-", found.removed)):
        for entry in entries:
            print(f"{sign} {entry.reference} {entry.name}")
    for changed in found.changed:
        print(f"~ {changed.new.reference} {changed.new.name} ({', '.join(changed.what)})")
    print(f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed")


def lists_of(sources: Sequence[Path], settings: ComplianceSettings | None) -> Listed:
    """The lists at some paths; without any those of a service, without one what the environment's setting names, else
    the shipped extract.

    Raises Malformed, and ComplianceUnavailable when one is missing or too old to clear anything by.
    """
    kept = _kept(sources, settings)
    require_fresh(kept, int(time.time()))
    return together(kept)


def _settings(config: Path | None) -> ComplianceSettings | None:
    from compliance.settings import ComplianceSettings
    from serving.settings import load_settings

    return load_settings(ComplianceSettings, config) if config else None


def _kept(sources: Sequence[Path], settings: ComplianceSettings | None) -> list[KeptList]:
    if sources or settings is None:
        paths = sources or [Path(os.environ.get("FEIQIAN_SANCTIONS_LIST", SHIPPED_LIST))]
        catalogue = [each for path in paths for each in load_catalogue(path)]
        names = Counter[str]()
        for place, each in enumerate(catalogue):
            names[each.name] += 1
            if names[each.name] > 1:
                catalogue[place] = _renamed(each, names[each.name])
        return opened(catalogue, None, int(time.time()))
    with _database(settings) as database:
        return opened(load_catalogue(settings.sanctions_list), database, int(time.time()))


def _renamed(configured: ConfiguredList, number: int) -> ConfiguredList:
    return replace(configured, name=f"{configured.name}-{number}")


@contextmanager
def _database(settings: ComplianceSettings) -> Iterator[DatabaseReader | None]:
    """The service's database to look into; None before its first start."""
    place = settings.place()
    if isinstance(place, Path) and not place.is_file():
        yield None
        return
    with closing(DatabaseReader(place)) as database:
        yield database


def _entries(text: str, settings: ComplianceSettings | None) -> tuple[ListEntry, ...]:
    if settings is None or Path(text).exists() or not _VERSION.fullmatch(text):
        return load_list(Path(text)).entries
    from compliance.lists import repository

    with _database(settings) as database:
        if database is None:
            raise Unavailable("the service has no database yet")
        with database.read() as connection:
            found = [version for version in repository.kept_versions(connection) if version.startswith(text)]
            listed = repository.kept(connection, found[0]) if len(found) == 1 else None
    if listed is None:
        raise Malformed(f"{text}: {len(found)} kept versions begin so; `lists show --config` names them")
    return listed.entries


def _told(kept: KeptList) -> str:
    source = kept.configured.source
    if kept.listed is None:
        return f"{kept.configured.name}: not loaded from {source}: {kept.trouble}"
    return f"{kept.configured.name}: {source}\n{_content(kept.listed)}" + (
        f"\n  the last look failed: {kept.trouble}" if kept.trouble else ""
    )


def _content(listed: SanctionsList) -> str:
    lines = [f"  version {listed.version}"]
    for source in listed.sources:
        entries = [entry for entry in listed.entries if entry.list_name == source.list_name]
        kinds = Counter(f"{entry.category} {entry.kind}" for entry in entries)
        lines.append(
            f"  {source.list_name} of {source.as_of or 'no date'}: {len(entries)} entries with"
            f" {sum(len(entry.names) for entry in entries)} names"
            f" ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))})"
        )
    if listed.left_out:
        lines.append(f"  {listed.left_out} vessels, aircraft and the like left out: they can be no party")
    return "\n".join(lines)
