"""Entries of sanctions lists, whatever the format they came in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListEntry:
    """One listed person or organisation. `birth_dates` are years or ISO 8601 dates, `nationalities` ISO 3166-1 alpha-2.

    `weak_aliases` are names that the list itself calls weak or low in quality; `genders` "male" or "female";
    `identifiers` numbers of documents, registers or BICs, as the list writes them.
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

    @property
    def reference(self) -> str:
        return f"{self.list_name} {self.entry_id}"

    @property
    def birth_years(self) -> tuple[int, ...]:
        return tuple(int(date[:4]) for date in self.birth_dates)


@dataclass(frozen=True)
class ListSource:
    """Who published a list and the date of the issue that was read."""

    list_name: str
    origin: str
    as_of: str


@dataclass(frozen=True)
class SanctionsList:
    """All entries of one file. `version` is the SHA-256 of `content`, in hex: other content, other version."""

    version: str
    content: str
    entries: tuple[ListEntry, ...]
    sources: tuple[ListSource, ...]
