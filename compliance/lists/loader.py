"""Reading lists in any form they are published in, told apart by what they contain. All of a list is read, or none."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compliance.lists.entries import INTERNAL, PEP, SANCTIONS, ListEntry, SanctionsList
from compliance.lists.formats import (
    csl_csv,
    eu_csv,
    eu_xml,
    json_lines,
    ofac_advanced,
    ofac_csv,
    ofac_xml,
    ofsi_csv,
    own_csv,
    targets_csv,
    un_xml,
)
from compliance.lists.formats.draft import ListFile, Parsed, unique
from contracts.terms.errors import Malformed

SHIPPED_LIST = Path(__file__).parent / "sanctions_extract.csv"

MOST_OCTETS = 1 << 29
"""Of a list, unpacked; the longest that is read whole."""

NO_LISTS = (".md", ".txt", ".sha256", ".toml")
"""How names of files end that may lie in a folder of lists and are none."""

_GRAVITY = (SANCTIONS, INTERNAL, PEP)
"""Of the categories in which an entry stands the first of these counts."""


@dataclass(frozen=True)
class Format:
    """A form of lists that stand in one file each."""

    name: str
    recognises: Callable[[ListFile], bool]
    read: Callable[[ListFile], Parsed]


FORMATS = (
    Format("Feiqian CSV", own_csv.recognises, own_csv.read),
    Format("US CSL CSV", csl_csv.recognises, csl_csv.read),
    Format("EU CSV", eu_csv.recognises, eu_csv.read),
    Format("UK OFSI CSV", ofsi_csv.recognises, ofsi_csv.read),
    Format("OpenSanctions targets.simple.csv", targets_csv.recognises, targets_csv.read),
    Format("OpenSanctions FtM JSON lines", json_lines.recognises_entities, json_lines.read_entities),
    Format("JSON lines of records", json_lines.recognises_records, json_lines.read_records),
    Format("OFAC XML", ofac_xml.recognises, ofac_xml.read),
    Format("OFAC advanced XML", ofac_advanced.recognises, ofac_advanced.read),
    Format("UN XML", un_xml.recognises, un_xml.read),
    Format("EU XML", eu_xml.recognises, eu_xml.read),
)
"""Beside them OFAC's CSV, whose lists stand in several files."""


def load_list(path: Path) -> SanctionsList:
    """Read a file, or all files of a folder. Raises Malformed in one line that names the file and the place in it."""
    try:
        return read_files(files_at(path)[0])
    except OSError as failure:
        raise Malformed(f"list {path}: {failure}") from failure
    except Malformed as failure:
        raise Malformed(f"list {path}: {failure.detail}") from failure


def read_list(content: str) -> SanctionsList:
    """A list from its text in our own form. Raises Malformed; also for one without entries, which would clear
    everybody."""
    return _whole([own_csv.read(ListFile("it", content.encode()))], content)


def read_files(files: Sequence[ListFile]) -> SanctionsList:
    """The list that several files make up. Raises Malformed, with the file's name if there are several."""
    found, ofac = list[Parsed](), list[ListFile]()
    for file in map(_unpacked, files):
        try:
            form = _form(file)
            if form is None:
                ofac.append(file)
            else:
                found.append(form.read(file))
        except Malformed as failure:
            raise Malformed(f"{file.name}: {failure.detail}" if len(files) > 1 else failure.detail) from failure
    if ofac:
        found += _read_ofac(ofac)
    return _whole(found)


def joined(lists: Iterable[Iterable[ListEntry]]) -> tuple[ListEntry, ...]:
    """The entries of several lists or files. What several say of one entry counts together."""
    known: dict[str, ListEntry] = {}
    for entries in lists:
        for entry in entries:
            before = known.get(entry.reference)
            known[entry.reference] = entry if before is None else _merged(before, entry)
    return tuple(known.values())


def _merged(one: ListEntry, other: ListEntry) -> ListEntry:
    names = unique((*one.names[: 1 + len(one.aliases)], other.name, *other.aliases))
    return replace(
        one,
        aliases=tuple(names[1:]),
        birth_dates=tuple(unique((*one.birth_dates, *other.birth_dates))),
        nationalities=tuple(unique((*one.nationalities, *other.nationalities))),
        weak_aliases=tuple(each for each in unique((*one.weak_aliases, *other.weak_aliases)) if each not in names),
        genders=tuple(unique((*one.genders, *other.genders))),
        identifiers=tuple(unique((*one.identifiers, *other.identifiers))),
        category=min(one.category, other.category, key=_GRAVITY.index),
    )


def _whole(found: Sequence[Parsed], content: str | None = None) -> SanctionsList:
    for each in found:
        _require_once(each.entries)
    entries = joined(each.entries for each in found)
    if not entries:
        raise Malformed("it has no entries")
    first = {source.list_name: source for each in reversed(found) for source in reversed(each.sources)}
    sources = tuple(reversed(first.values()))
    if content is None:
        content = own_csv.write(Parsed(entries, sources))
    version = hashlib.sha256(content.encode()).hexdigest()
    return SanctionsList(version, content, entries, sources, sum(each.left_out for each in found))


def _require_once(entries: Sequence[ListEntry]) -> None:
    known = set[str]()
    for entry in entries:
        if entry.reference in known:
            raise Malformed(f"{entry.reference[:80]} stands twice in it: the file is damaged")
        known.add(entry.reference)


def _form(file: ListFile) -> Format | None:
    """How to read a file; None for one of OFAC's CSV files. Raises Malformed for what is no list."""
    for form in FORMATS:
        if form.recognises(file):
            return form
    if not any(recognises(file) for recognises in _OFAC):
        forms = ", ".join((*(form.name for form in FORMATS), "OFAC CSV"))
        what = "it is empty" if not file.content.strip() else "not a list in a form that is known"
        raise Malformed(f"{what}; its columns, first line or root element must be those of {forms}")
    return None


_OFAC = (
    ofac_csv.recognises_entries,
    ofac_csv.recognises_aliases,
    ofac_csv.recognises_comments,
    ofac_csv.recognises_addresses,
)


def _read_ofac(files: Sequence[ListFile]) -> list[Parsed]:
    entries, aliases, comments = ([file for file in files if recognises(file)] for recognises in _OFAC[:3])
    if not entries:
        raise Malformed("OFAC's aliases or addresses without the entries (sdn.csv) that they belong to")
    return ofac_csv.read(entries, aliases, comments)


def files_at(path: Path) -> tuple[list[ListFile], int]:
    """The files at a path, and the second in which the one that is longest unchanged was changed. One of OFAC's entries
    brings those that belong to it. Raises OSError and Malformed."""
    places = _places(path)
    if not places:
        raise Malformed("the folder has no files")
    return [_read(each) for each in places], int(min(each.stat().st_mtime for each in places))


def _places(path: Path) -> list[Path]:
    if path.is_dir():
        names = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        return [each for each in names if each.suffix.lower() not in NO_LISTS]
    with path.open("rb") as opened:
        head = ListFile(path.name, opened.read(20_000))
    if not ofac_csv.recognises_entries(head):
        return [path]
    beside = {each.name.lower(): each for each in path.parent.iterdir()}
    return [path, *(beside[name] for name in ofac_csv.companions(path.name) if name in beside)]


def _read(path: Path) -> ListFile:
    if path.stat().st_size > MOST_OCTETS:
        raise Malformed(f"{path.name}: it is longer than {MOST_OCTETS >> 20} MiB")
    return ListFile(path.name, path.read_bytes())


def _unpacked(file: ListFile) -> ListFile:
    """What a gzip file holds; other files as they are."""
    if not file.content.startswith(b"\x1f\x8b"):
        return file
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = inflater.decompress(file.content, MOST_OCTETS)
    except zlib.error as failure:
        raise Malformed(f"{file.name}: not a gzip file: {failure}") from failure
    if not inflater.eof:
        raise Malformed(f"{file.name}: cut off, or longer than {MOST_OCTETS >> 20} MiB when unpacked")
    return ListFile(file.name.removesuffix(".gz"), content)
