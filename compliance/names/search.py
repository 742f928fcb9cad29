"""Listed names, read once, and those of them that an asked name is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.lists.entries import ListEntry
from compliance.names.align import Alignment, align, likeness
from compliance.names.candidates import Candidates
from compliance.names.features import sounds_alike
from compliance.names.written import Reading, Word, Writing

MAX_COMPARED = 12
"""Names of those found that are compared in full."""

LEAST_SHARED = 300
"""Thousandths of both names' weight that must agree for a comparison in full."""

SURELY_NEAR = 1000
"""All of it: nothing is gained by comparing the sounds too."""

_JOINED_COUNTS = 150
"""Thousandths that letters in a row count less than words that agree."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A name of an entry, in one reading. `weak`: the list itself says that it tells little."""

    entry: ListEntry
    name: str
    reading: Reading
    weak: bool
    same_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A listed name and how the asked one lies on it."""

    listed: Listed
    alignment: Alignment


class ListedNames:
    """All names of some entries."""

    def __init__(self, entries: Sequence[ListEntry], writing: Writing) -> None:
        self._writing = writing
        self._listed = [listed for entry in entries for listed in _read(entry, writing)]
        writing.close()
        self._candidates = Candidates([listed.reading for listed in self._listed])

    def near(self, name: str, kind: str, least: int = LEAST_SHARED) -> list[Compared]:
        """What the name might be, compared word by word; for each reading of it the likeliest. `least`: thousandths of
        both names' weight, or of their sounds, that must agree."""
        found = list[Compared]()
        for asked in self._writing.read(name, kind):
            alike = dict[tuple[Word, Word], int]()
            for listed in self._likeliest(asked, alike, least):
                found.append(Compared(listed, align(asked, listed.reading, alike)))
        return found

    def _likeliest(self, asked: Reading, alike: dict[tuple[Word, Word], int], least: int) -> list[Listed]:
        numbers = self._candidates.find(asked)
        best = dict[Word, int]()
        own = sum(word.weight for word in asked.words)
        ranked = []
        for number in numbers:
            listed = self._listed[number]
            shared = weight = 0
            for word in listed.reading.words:
                likest = best.get(word)
                if likest is None:
                    likest = best[word] = _likest(asked, word, alike)
                shared += word.weight * likest
                weight += word.weight
            share = 2 * shared // (own + weight)
            if share < SURELY_NEAR - _JOINED_COUNTS:
                share = max(share, sounds_alike(asked, listed.reading) - _JOINED_COUNTS)
            if share >= least:
                ranked.append((-share, number))
        ranked.sort()
        return [self._listed[number] for _, number in ranked[:MAX_COMPARED]]


def _likest(asked: Reading, other: Word, alike: dict[tuple[Word, Word], int]) -> int:
    best = 0
    for word in asked.words:
        score = likeness(word, other)
        if score:
            alike[word, other] = score
            if score > best:
                best = score
    return best


def _read(entry: ListEntry, writing: Writing) -> Iterable[Listed]:
    weak = frozenset(entry.weak_aliases)
    for name in dict.fromkeys((entry.name, *entry.aliases, *entry.weak_aliases)):
        for reading in writing.read(name, entry.kind):
            yield Listed(entry, name, reading, name in weak and name != entry.name, reading.key)
