"""OpenSanctions' targets.simple.csv: one row an entity."""

from __future__ import annotations

from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.json_lines import LIST, ORIGIN
from compliance.lists.formats.tables import Row, records, several

_COLUMNS = ("id", "schema", "name", "aliases", "birth_date", "countries", "identifiers")
_SCHEMAS = {
    **dict.fromkeys(("Company", "Organization", "LegalEntity", "PublicBody"), ORGANIZATION),
    "Person": PERSON,
}


def recognises(file: ListFile) -> bool:
    head = file.content[:200].decode("utf-8-sig", "replace").replace('"', "")
    return head.startswith("id,schema,name,aliases,birth_date,countries")


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    drafts, as_of = list[Draft](), ""
    for place, row in records(file.text, _COLUMNS):
        drafts.append(_draft(place, row))
        as_of = max(as_of, row.get("last_change", "")[:10])
    return parsed(drafts, {LIST: ORIGIN}, as_of)


def _draft(place: str, row: Row) -> Draft:
    draft = Draft(place, LIST, row["id"], _SCHEMAS.get(row["schema"], NO_PARTY))
    draft.names += [row["name"], *several(row["aliases"])]
    for date in several(row["birth_date"]):
        draft.birth_dates += birth_dates(date)
    if draft.kind == PERSON:
        draft.countries += several(row["countries"])
    draft.identifiers += several(row["identifiers"])
    return draft
