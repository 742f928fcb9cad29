"""Entries of lists, whatever the format they came in."""

from __future__ import annotations

from dataclasses import dataclass

SANCTIONS, PEP, INTERNAL = "sanctions", "pep", "internal"
CATEGORIES = (SANCTIONS, PEP, INTERNAL)
"""Why an entry is listed: by a state; as a politically exposed person, which holds and never refuses by itself; by the
institution."""


@dataclass(frozen=True)
class ListEntry:
    """One listed person or organisation. `birth_dates` are years or ISO 8601 dates, `nationalities` ISO 3166-1 alpha-2.

    `weak_aliases` are names that the list itself calls weak or low in quality; `genders` "male" or "female";
    `identifiers` numbers of documents, registers or BICs, as the list writes them; `category` one of CATEGORIES.
    """

    list_name: str
    entry_id: str
    kind: str
    name: str
    aliases: tuple[str, ...]
    birth_dates: tuple[str, ...]
    nationalities: tuple[str, ...]
    weak_aliases: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    category: str = SANCTIONS

    @property
    def reference(self) -> str:
        return f"{self.list_name} {self.entry_id}"

    @property
    def birth_years(self) -> tuple[int, ...]:
        return tuple(int(date[:4]) for date in self.birth_dates)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the weak ones last."""
        return (self.name, *self.aliases, *self.weak_aliases)


@dataclass(frozen=True)
class ListSource:
    """Who published a list and the date of the issue that was read, empty where the file does not say it."""

    list_name: str
    origin: str
    as_of: str


@dataclass(frozen=True)
class SanctionsList:
    """All entries of one file, or of several that belong together.

    `content` is their text in our own form and `version` its SHA-256 in hex: other content, other version. `left_out`
    counts what the list names besides persons and organisations (vessels, aircraft, securities).
    """

    version: str
    content: str
    entries: tuple[ListEntry, ...]
    sources: tuple[ListSource, ...]
    left_out: int = 0
