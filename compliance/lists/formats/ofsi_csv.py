"""The consolidated list of the United Kingdom's Office of Financial Sanctions Implementation, as CSV."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.tables import Row, records

LIST = "UK OFSI"
ORIGIN = "UK, Office of Financial Sanctions Implementation"
_KINDS = {"individual": PERSON, "entity": ORGANIZATION, "ship": NO_PARTY}
_ID, _FAMILY = "Group ID", "Name 6"
_GIVEN = ("Name 1", "Name 2", "Name 3", "Name 4", "Name 5")
_NUMBERS = ("Passport Number", "National Identification Number")


def recognises(file: ListFile) -> bool:
    head = file.content[:1000].decode("utf-8-sig", "replace")
    return head.startswith("Last Updated,") and f"{_FAMILY},Name 1," in head


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    updated = file.text.partition("\n")[0].partition(",")[2].strip(" ,\r")
    rows = records(file.text, (_FAMILY, *_GIVEN, "Group Type", "Alias Type", _ID), skip=1)
    return parsed(_drafts(rows), {LIST: ORIGIN}, "".join(birth_dates(updated)))


def _drafts(rows: Iterator[tuple[str, Row]]) -> Iterator[Draft]:
    """Rows of one group are one entry, its primary name first."""
    drafts: dict[str, Draft] = {}
    for place, row in rows:
        kind = row["Group Type"]
        draft = drafts.setdefault(row[_ID], Draft(place, LIST, row[_ID], _KINDS.get(kind.lower(), kind or "unknown")))
        name = " ".join(filter(None, (*(row[part] for part in _GIVEN), row[_FAMILY])))
        if row.get("Alias Quality", "").lower() == "low":
            draft.weak_names.append(name)
        elif row["Alias Type"].lower() == "primary name":
            draft.names.insert(0, name)
        else:
            draft.names.append(name)
        draft.names.append(row.get("Name Non-Latin Script", ""))
        draft.birth_dates += birth_dates(row.get("DOB", ""))
        draft.countries.append(row.get("Nationality", ""))
        draft.identifiers += [row.get(column, "") for column in _NUMBERS]
    yield from drafts.values()
