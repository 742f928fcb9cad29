"""Our own form, one row an entry (described in SOURCES.md): what is shipped, edited by hand, and kept of every list."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from compliance.lists.entries import ListEntry, ListSource
from compliance.lists.formats.draft import Draft, ListFile, Parsed, finished
from compliance.lists.formats.tables import Row, records
from contracts.terms.errors import Malformed

COLUMNS = ("list", "entry_id", "kind", "name", "aliases", "birth_dates", "nationalities", "origin", "as_of")
FURTHER_COLUMNS = ("weak_aliases", "genders", "identifiers", "category")
"""Those that may be missing."""

_VALUE = re.compile(r"(?:[^|\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"([|\\])")


def recognises(file: ListFile) -> bool:
    """A header that begins as ours does."""
    return file.content[:200].decode("utf-8-sig", "replace").startswith("list,entry_id,")


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    entries, sources = list[ListEntry](), dict[ListSource, None]()
    for place, row in _rows(file.text):
        entries.append(finished(_draft(place, row)))
        sources[ListSource(entries[-1].list_name, row["origin"], row["as_of"])] = None
    return Parsed(tuple(entries), tuple(sources))


def write(parsed: Parsed) -> str:
    """The text that `read` reads back as the same."""
    by_list = {source.list_name: source for source in parsed.sources}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *FURTHER_COLUMNS))
    for entry in parsed.entries:
        source = by_list[entry.list_name]
        writer.writerow(
            (
                *(entry.list_name, entry.entry_id, entry.kind, entry.name),
                *map(_joined, (entry.aliases, entry.birth_dates, entry.nationalities)),
                *(source.origin, source.as_of),
                *map(_joined, (entry.weak_aliases, entry.genders, entry.identifiers)),
                entry.category,
            )
        )
    return text.getvalue()


def _rows(text: str) -> Iterator[tuple[str, Row]]:
    header = text.partition("\n")[0].strip().split(",")
    if unknown := [column for column in header if column not in (*COLUMNS, *FURTHER_COLUMNS)]:
        raise Malformed(
            f"the columns are {', '.join(COLUMNS)}, and perhaps {', '.join(FURTHER_COLUMNS)}; not {unknown[0][:40]!r}"
        )
    return records(text, COLUMNS)


def _draft(place: str, row: Row) -> Draft:
    draft = Draft(place, row["list"], row["entry_id"], row["kind"] or "empty", [row["name"]])
    if not row["name"]:
        raise Malformed(f"{place}: list, entry_id and name are needed")
    draft.names += _several(row["aliases"])
    draft.birth_dates += _several(row["birth_dates"])
    draft.countries += _several(row["nationalities"])
    draft.weak_names += _several(row.get("weak_aliases", ""))
    draft.genders += _several(row.get("genders", ""))
    draft.identifiers += _several(row.get("identifiers", ""))
    draft.category = row.get("category") or draft.category
    return draft


def _several(text: str) -> list[str]:
    """Values divided by |; a backslash before one, or before a backslash, means the character itself."""
    return [_ESCAPED.sub(r"\1", value) for value in _VALUE.findall(text)]


def _joined(values: tuple[str, ...]) -> str:
    return "|".join(_SPECIAL.sub(r"\\\1", value) for value in values)
