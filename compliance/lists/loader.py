"""Reading a list from our own CSV form (described in SOURCES.md)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

from compliance.lists.entries import ListEntry, ListSource, SanctionsList
from contracts.terms.errors import Malformed

SHIPPED_LIST = Path(__file__).parent / "sanctions_extract.csv"

_COLUMNS = ["list", "entry_id", "kind", "name", "aliases", "birth_dates", "nationalities", "origin", "as_of"]
_KINDS = ("person", "organization")
_BIRTH_DATE = re.compile(r"[12][0-9]{3}(-[0-9]{2}-[0-9]{2})?", re.ASCII)


def load_list(path: Path) -> SanctionsList:
    """Read a list file. Raises Malformed in one line that names the file and the row."""
    try:
        return read_list(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as failure:
        raise Malformed(f"list {path}: {failure}") from failure
    except Malformed as failure:
        raise Malformed(f"list {path}: {failure.detail}") from failure


def read_list(content: str) -> SanctionsList:
    """A list from its text. Raises Malformed; also for one without entries, which would clear everybody."""
    rows = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    if rows.fieldnames != _COLUMNS:
        raise Malformed(f"the columns must be {', '.join(_COLUMNS)}")
    entries, sources = list[ListEntry](), dict[ListSource, None]()
    try:
        for number, row in enumerate(rows, start=2):
            entries.append(_entry(row, number))
            sources[ListSource(row["list"], row["origin"], row["as_of"])] = None
    except csv.Error as failure:
        raise Malformed(f"not a CSV file: {failure}") from failure
    if not entries:
        raise Malformed("it has no entries")
    version = hashlib.sha256(content.encode()).hexdigest()
    return SanctionsList(version, content, tuple(entries), tuple(sources))


def _entry(row: Mapping[str, str | None], number: int) -> ListEntry:
    if len(row) != len(_COLUMNS) or None in row.values():
        raise Malformed(f"row {number}: it has not {len(_COLUMNS)} columns")
    text = {column: (value or "").strip() for column, value in row.items()}
    if not (text["list"] and text["entry_id"] and text["name"]):
        raise Malformed(f"row {number}: list, entry_id and name are needed")
    if text["kind"] not in _KINDS:
        raise Malformed(f"row {number}: kind is {' or '.join(_KINDS)}")
    birth_dates = _several(text["birth_dates"])
    if not all(_BIRTH_DATE.fullmatch(date) for date in birth_dates):
        raise Malformed(f"row {number}: a birth date is YYYY or YYYY-MM-DD")
    return ListEntry(
        text["list"],
        text["entry_id"],
        text["kind"],
        text["name"],
        _several(text["aliases"]),
        birth_dates,
        _several(text["nationalities"]),
    )


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split("|")) if part)
