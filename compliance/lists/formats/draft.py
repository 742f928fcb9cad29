"""What a reader of any form makes of a list, and how it becomes entries: cleaned, bounded, complete or refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from compliance.lists.countries import country_code
from compliance.lists.entries import CATEGORIES, SANCTIONS, ListEntry, ListSource
from contracts.terms.errors import Malformed

PERSON, ORGANIZATION, NO_PARTY = "person", "organization", ""
"""What an entry is. NO_PARTY is what can be no party to a payment: a vessel, an aircraft, a security."""

MAX_NAME = 1000
"""Characters of a name, and of anything else in an entry. The longest official name has under half of them."""

MAX_NAMES = 2000
"""Names of one entry."""

_BIRTH_DATE = re.compile(r"[12][0-9]{3}(-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?", re.ASCII)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class ListFile:
    """One file of a list; `name` is what errors call it."""

    name: str
    content: bytes

    @property
    def text(self) -> str:
        """As UTF-8, with or without a byte order mark. Raises Malformed with the line that is not."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            line = self.content.count(b"\n", 0, failure.start) + 1
            raise Malformed(f"line {line}: not UTF-8; convert the file, or fetch it again") from failure


@dataclass
class Draft:
    """An entry as it stands in a file at `place`, such as "row 7"; countries by name or code, dates as `dates` reads
    them. The first name is the entry's own."""

    place: str
    list_name: str
    entry_id: str
    kind: str
    names: list[str] = field(default_factory=list)
    weak_names: list[str] = field(default_factory=list)
    birth_dates: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    genders: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    category: str = SANCTIONS


@dataclass(frozen=True)
class Parsed:
    """What a file says. `left_out` counts what can be no party."""

    entries: tuple[ListEntry, ...]
    sources: tuple[ListSource, ...]
    left_out: int = 0


def parsed(drafts: Iterable[Draft], origins: Mapping[str, str], as_of: str) -> Parsed:
    """The entries of all drafts, with who published each list (`origins` by list name). Raises Malformed."""
    entries, left_out = list[ListEntry](), 0
    for draft in drafts:
        if draft.kind == NO_PARTY:
            left_out += 1
        else:
            entries.append(finished(draft))
    named = dict.fromkeys(entry.list_name for entry in entries)
    return Parsed(tuple(entries), tuple(ListSource(name, origins.get(name, name), as_of) for name in named), left_out)


def finished(draft: Draft) -> ListEntry:
    """The entry. Raises Malformed with its place."""
    names, weak = unique(draft.names), unique(draft.weak_names)
    if not names:
        names, weak = weak[:1], weak[1:]
    list_name, entry_id = clean(draft.list_name), clean(draft.entry_id)
    if not (list_name and entry_id and names):
        raise Malformed(f"{draft.place}: an entry needs its list, an id and a name")
    if draft.kind not in (PERSON, ORGANIZATION):
        raise Malformed(f"{draft.place}: kind is {PERSON} or {ORGANIZATION}, not {draft.kind[:20]!r}")
    if draft.category not in CATEGORIES:
        raise Malformed(f"{draft.place}: category is {', '.join(CATEGORIES)}, not {draft.category[:20]!r}")
    entry = ListEntry(
        list_name=list_name,
        entry_id=entry_id,
        kind=draft.kind,
        name=names[0],
        aliases=tuple(names[1:]),
        birth_dates=tuple(unique(draft.birth_dates)),
        nationalities=tuple(unique(filter(None, map(country_code, draft.countries)))),
        weak_aliases=tuple(each for each in weak if each not in names),
        genders=tuple(unique(each for each in map(str.casefold, draft.genders) if each in ("male", "female"))),
        identifiers=tuple(unique(draft.identifiers)),
        category=draft.category,
    )
    _check(entry, draft.place)
    return entry


def clean(text: str) -> str:
    """On one line: control characters and runs of white space are one space each."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(each) in ("Cc", "Cs") else each for each in text)
    return _SPACES.sub(" ", text).strip()


def unique(texts: Iterable[str]) -> list[str]:
    """Cleaned, in their order, each once, without empty ones."""
    return list(dict.fromkeys(filter(None, map(clean, texts))))


def _check(entry: ListEntry, place: str) -> None:
    texts = (entry.list_name, entry.entry_id, *entry.names, *entry.identifiers)
    if max(map(len, texts)) > MAX_NAME:
        raise Malformed(f"{place}: a name, id or number has more than {MAX_NAME} characters: the file is damaged")
    if len(texts) > MAX_NAMES:
        raise Malformed(f"{place}: an entry has more than {MAX_NAMES} names and numbers: the file is damaged")
    if wrong := [date for date in entry.birth_dates if not _BIRTH_DATE.fullmatch(date)]:
        raise Malformed(f"{place}: a birth date is YYYY or YYYY-MM-DD, not {wrong[0][:20]!r}")
