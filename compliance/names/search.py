"""Listed names, read once, and those of them that an asked name is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from compliance.lists.entries import ListEntry
from compliance.names.align import Alignment, align, likeness
from compliance.names.candidates import Candidates
from compliance.names.features import sounds_alike
from compliance.names.scripts import ARABIC, OTHER
from compliance.names.written import Reading, Word, Writing

MAX_COMPARED = 12
"""Names of those found that are compared in full."""

LEAST_SHARED = 300
"""Thousandths of both names' weight that must agree for a comparison in full."""

REPORTED_SHARED, REPORTED_ACROSS = 585, 450
"""The same, for a match to be reported at all; less in scripts that leave out vowels, where words agree less."""

NEARLY_ALL = 960
"""Thousandths of an asked name of two words or more that stand in a listed one: it is a part of it, however long."""

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


@dataclass(frozen=True, slots=True)
class Compared:
    """A listed name and how the asked one lies on it."""

    listed: Listed
    alignment: Alignment
    shared: int
    """Thousandths of both names' weight, or of their sounds, that agree before words are paired."""


class ListedNames:
    """All names of some entries."""

    def __init__(self, entries: Sequence[ListEntry], writing: Writing) -> None:
        self._writing = writing
        self._listed = [listed for entry in entries for listed in _read(entry, writing)]
        writing.close()
        self._candidates = Candidates([listed.reading for listed in self._listed])

    def near(self, name: str, kind: str, reported: bool = False) -> list[Compared]:
        """What the name might be, compared word by word; of all readings of it the likeliest. `reported`: only what
        might be reported."""
        ranked = list[tuple[int, int, Reading, dict[tuple[Word, Word], int]]]()
        for asked in self._writing.read(name, kind):
            alike = dict[tuple[Word, Word], int]()
            least = least_reported(asked) if reported else LEAST_SHARED
            ranked += [(-shared, number, asked, alike) for shared, number in self._likely(asked, alike, least)]
        ranked.sort(key=itemgetter(0, 1))
        found = list[Compared]()
        for shared, number, asked, alike in ranked[:MAX_COMPARED]:
            listed = self._listed[number]
            found.append(Compared(listed, align(asked, listed.reading, alike), -shared))
        return found

    def _likely(self, asked: Reading, alike: dict[tuple[Word, Word], int], least: int) -> Iterable[tuple[int, int]]:
        """How much the found names share with it, at least `least`, and their numbers. `alike` is filled."""
        best = dict[Word, int]()
        for number in self._candidates.find(asked):
            reading = self._listed[number].reading
            if (asked.added and not reading.whole) or (reading.added and not asked.whole):
                continue  # what is left out of one name is known to differ from the other's
            shared = 0
            for word in reading.words:
                likest = best.get(word)
                if likest is None:
                    likest = best[word] = _likest(asked, word, alike)
                shared += word.weight * likest
            share = 2 * shared // (asked.weight + reading.weight)
            if share < SURELY_NEAR - _JOINED_COUNTS:
                needed = (share if share > least else least) + _JOINED_COUNTS
                share = max(share, sounds_alike(asked, reading, needed) - _JOINED_COUNTS)
            if asked.anagram == reading.anagram:
                share = SURELY_NEAR
            elif asked.names > 1 and shared >= NEARLY_ALL * asked.weight:
                share = max(share, REPORTED_SHARED)
            if share >= least:
                yield share, number


def least_reported(asked: Reading) -> int:
    """Thousandths that a name must share with this one for a match to be reported."""
    return REPORTED_ACROSS if asked.script in (ARABIC, OTHER) else REPORTED_SHARED


def _likest(asked: Reading, other: Word, alike: dict[tuple[Word, Word], int]) -> int:
    best, letters, kinds = 0, other.letters, other.kinds
    for word in asked.words:
        if (  # what `likeness` would say, said at once, for most words are such
            word.plain
            and other.plain
            and not (word.called and other.called)
            and 2 * (word.letters & letters).bit_count() < (word.kinds if word.kinds > kinds else kinds)
        ):
            continue
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
            yield Listed(entry, name, reading, name in weak and name != entry.name)
