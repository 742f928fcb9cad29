"""OFAC's CSV files without headers: entries (sdn.csv), their aliases (alt.csv), and remarks too long for the first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from compliance.lists.formats import ofac
from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import Draft, ListFile, Parsed, parsed
from compliance.lists.formats.tables import rows
from contracts.terms.errors import Malformed

_ENTRY_COLUMNS, _ALIAS_COLUMNS, _ADDRESS_COLUMNS, _COMMENT_COLUMNS = 12, 5, 6, 2
_NOTHING = "-0-"
_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_ALIAS_KINDS = ("aka", "fka", "nka")
_WEAK = re.compile(r"(?:a\.k\.a\.|f\.k\.a\.|n\.k\.a\.)\s+'([^']+)'")
_BORN = re.compile(r"^(?:alt\. )?DOB (.+)$")
_COUNTRY = re.compile(r"^(?:alt\. )?(?:nationality|citizen) (.+)$")
_NUMBERED = re.compile(r"^(.*?)(?: No\.?| #|:)?\s+(\S*[0-9]\S*)")


def recognises_entries(file: ListFile) -> bool:
    return _first_row(file, _ENTRY_COLUMNS) is not None


def recognises_aliases(file: ListFile) -> bool:
    first = _first_row(file, _ALIAS_COLUMNS)
    return first is not None and first[2] in _ALIAS_KINDS


def recognises_addresses(file: ListFile) -> bool:
    """Addresses identify nobody and are not read; that they lie in a list's folder is no fault."""
    return _first_row(file, _ADDRESS_COLUMNS) is not None


def recognises_comments(file: ListFile) -> bool:
    return _first_row(file, _COMMENT_COLUMNS) is not None


def companions(file_name: str) -> tuple[str, str]:
    """What OFAC calls the files with the aliases and the long remarks of an entries' file."""
    stem = file_name.lower().removesuffix(".csv")
    return ("cons_alt.csv", "cons_comments.csv") if "cons" in stem else ("alt.csv", "sdn_comments.csv")


def read(entries: Sequence[ListFile], aliases: Sequence[ListFile], comments: Sequence[ListFile]) -> list[Parsed]:
    """Each file of entries, with their aliases from wherever they stand. Raises Malformed."""
    drafts = {file.name: _drafts(file) for file in entries}
    by_number = {number: draft for each in drafts.values() for number, draft in each.items()}
    for file in aliases:
        _add_aliases(file, by_number)
    for file in comments:
        for place, (number, remarks) in _cells(file, _COMMENT_COLUMNS):
            _remark(_owner(by_number, number, place, file), remarks)
    alias_lists = {ofac.list_name(file.name) for file in aliases}
    for file in entries:
        if ofac.list_name(file.name) not in alias_lists:
            needed = companions(file.name)[0]
            raise Malformed(f"{file.name} has its aliases in a file of its own: {needed} must lie beside it")
    return [parsed(each.values(), {ofac.LIST: ofac.ORIGIN, ofac.NON_SDN: ofac.ORIGIN}, "") for each in drafts.values()]


def _drafts(file: ListFile) -> dict[str, Draft]:
    drafts: dict[str, Draft] = {}
    for place, cells in _cells(file, _ENTRY_COLUMNS):
        number, name, kind, remarks = cells[0], cells[1], cells[2] or "entity", cells[11]
        if number in drafts:
            raise Malformed(f"{file.name}: {place}: entry {number} stands twice")
        draft = Draft(f"{file.name}: {place}", ofac.list_name(file.name), number, ofac.KINDS.get(kind.lower(), kind))
        draft.names.append(name)
        _remark(draft, remarks)
        drafts[number] = draft
    return drafts


def _add_aliases(file: ListFile, by_number: Mapping[str, Draft]) -> None:
    for place, cells in _cells(file, _ALIAS_COLUMNS):
        if cells[2] not in _ALIAS_KINDS:
            raise Malformed(f"{file.name}: {place}: an alias is {', '.join(_ALIAS_KINDS)}, not {cells[2][:20]!r}")
        _owner(by_number, cells[0], place, file).names.append(cells[3])


def _owner(by_number: Mapping[str, Draft], number: str, place: str, file: ListFile) -> Draft:
    if number not in by_number:
        raise Malformed(f"{file.name}: {place}: no file here has the entry {number}: the files are of different days")
    return by_number[number]


def _remark(draft: Draft, remarks: str) -> None:
    """Remarks such as "DOB 1962; nationality Iran; Passport A123 (Iran); Gender Male; a.k.a. 'THE ENGINEER'."."""
    draft.weak_names += _WEAK.findall(remarks)
    for remark in remarks.removesuffix(".").split("; "):
        if found := _BORN.match(remark):
            draft.birth_dates += birth_dates(found[1])
        elif found := _COUNTRY.match(remark):
            draft.countries.append(found[1])
        elif remark.startswith("Gender "):
            draft.genders.append(remark.removeprefix("Gender "))
        elif ofac.identifies(remark) and (found := _NUMBERED.match(remark)):
            draft.identifiers.append(found[2].rstrip(",;"))


def _cells(file: ListFile, columns: int) -> list[tuple[str, list[str]]]:
    found = []
    for place, cells in rows(file.text):
        if len(cells) != columns or not _NUMBER.fullmatch(cells[0]):
            raise Malformed(
                f"{file.name}: {place}: not {columns} columns that begin with a number: the file is cut off"
            )
        found.append((place, ["" if cell == _NOTHING else cell for cell in cells]))
    return found


def _first_row(file: ListFile, columns: int) -> list[str] | None:
    """The first row, if it has so many columns and begins with a number."""
    head = file.content[:20_000].decode("utf-8-sig", "replace").partition("\n")[0]
    try:
        cells = next(rows(head), ("", [""]))[1]
    except Malformed:
        return None
    return cells if len(cells) == columns and _NUMBER.fullmatch(cells[0]) else None
