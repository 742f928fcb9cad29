"""The United States' Consolidated Screening List, as CSV: one row an entry, of many lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compliance.lists.formats import ofac
from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.tables import Row, records, several

ORIGIN = "US, Consolidated Screening List"
_COLUMNS = ("_id", "source", "entity_number", "type", "name", "alt_names", "dates_of_birth", "nationalities", "ids")
_KINDS = {"individual": PERSON, "entity": ORGANIZATION, "": ORGANIZATION, "vessel": NO_PARTY, "aircraft": NO_PARTY}
_SHORT = re.compile(r"\(([A-Z0-9-]+)\)")


def recognises(file: ListFile) -> bool:
    return file.content[:100].decode("utf-8-sig", "replace").startswith("_id,source,entity_number,type,")


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    drafts = list(map(_draft, *zip(*records(file.text, _COLUMNS), strict=True)))
    return parsed(drafts, dict.fromkeys({draft.list_name for draft in drafts}, ORIGIN), "")


def _draft(place: str, row: Row) -> Draft:
    kind = row["type"]
    draft = Draft(place, _list_name(row["source"]), row["entity_number"] or row["_id"], _KINDS.get(kind.lower(), kind))
    draft.names += [row["name"], *several(row["alt_names"])]
    for date in several(row["dates_of_birth"]):
        draft.birth_dates += birth_dates(date)
    draft.countries += [*several(row["nationalities"]), *several(row.get("citizenships", ""))]
    for label, value in _details(row["ids"]):
        if label == "Gender":
            draft.genders.append(value)
        elif ofac.identifies(label):
            draft.identifiers.append(value)
    return draft


def _details(text: str) -> Iterator[tuple[str, str]]:
    """Such as "Passport, K989895, TN, 26 Jul 1995": a label and its value."""
    for detail in several(text):
        label, _, rest = detail.partition(", ")
        yield label, rest.partition(", ")[0]


def _list_name(source: str) -> str:
    short = _SHORT.search(source)
    name = short[1] if short else source.partition(" - ")[0]
    return ofac.LIST if name == "SDN" else f"CSL {name}"
