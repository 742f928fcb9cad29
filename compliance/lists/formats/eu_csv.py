"""The European Union's list as CSV: a row for each name, birth date, address or document of an entry."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import Draft, ListFile, Parsed, parsed
from compliance.lists.formats.eu_xml import GENDERS, KINDS, LIST, ORIGIN
from compliance.lists.formats.tables import Row, records

_ID, _NAME = "Entity_LogicalId", "NameAlias_WholeName"
_SUBJECTS = ("Entity_SubjectType_ClassificationCode", "Entity_SubjectType")
_BORN = ("BirthDate_BirthDate", "BirthDate_Year")


def recognises(file: ListFile) -> bool:
    return file.content[:200].decode("utf-8-sig", "replace").startswith(f"fileGenerationDate;{_ID}")


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    rows = list(records(file.text, ("fileGenerationDate", _ID, _NAME), delimiter=";"))
    generated = birth_dates(rows[0][1]["fileGenerationDate"]) if rows else []
    return parsed(_drafts(rows), {LIST: ORIGIN}, "".join(generated))


def _drafts(rows: list[tuple[str, Row]]) -> Iterator[Draft]:
    drafts: dict[str, Draft] = {}
    for place, row in rows:
        subject = _first(row, _SUBJECTS)
        draft = drafts.setdefault(
            row[_ID], Draft(place, LIST, row[_ID], KINDS.get(subject.lower(), subject or "unknown"))
        )
        names = draft.weak_names if row.get("NameAlias_Strong", "").lower() == "false" else draft.names
        names.append(row[_NAME])
        draft.genders.append(GENDERS.get(row.get("NameAlias_Gender", "").lower(), ""))
        draft.birth_dates += birth_dates(_first(row, _BORN))
        draft.countries.append(_first(row, ("Citizenship_CountryIso2Code", "Citizenship_CountryDescription")))
        draft.identifiers.append(row.get("Identification_Number", ""))
    yield from drafts.values()


def _first(row: Row, columns: tuple[str, ...]) -> str:
    return next((row[column] for column in columns if row.get(column)), "")
