"""Which listed names a party's name resembles, how much, and why in words.

Scores are whole thousandths: 1000 is the same words in any order. So a stored decision re-runs to the same figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from compliance.lists.entries import ListEntry
from compliance.names.normalise import words
from contracts.terms.parties import Party

SAME_WORDS = 1000
LEAST_SCORE = 800
"""What resembles less is not reported."""

PART_OF_NAME = 920
"""All words of the shorter name stand in the longer one, which says more: alike, but never the same."""

OTHER_KIND = 50
OTHER_BIRTH_YEAR = 120
_MAX_MATCHES = 10


@dataclass(frozen=True)
class Match:
    """A listed name that resembles. `score` is in thousandths; `reasons` name no data of the party itself."""

    list_name: str
    entry_id: str
    name: str
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _ListedName:
    entry: ListEntry
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Likeness:
    listed: _ListedName
    score: int
    reason: str


class NameIndex:
    """Answers for one version of the lists. Names seen before cost a look-up. Usable from several threads."""

    def __init__(self, entries: Sequence[ListEntry]) -> None:
        self._names = tuple(_listed_names(entries))
        self._sorted = [" ".join(sorted(listed.words)) for listed in self._names]
        self._joined = ["".join(listed.words) for listed in self._names]
        self._by_word: dict[str, set[int]] = defaultdict(set)
        for place, listed in enumerate(self._names):
            for word in listed.words:
                self._by_word[word].add(place)
        self._alike = lru_cache(maxsize=65536)(self._search)

    def matches(self, party: Party) -> tuple[Match, ...]:
        """At most ten matches, the best first, one for each listed entry."""
        best: dict[str, Match] = {}
        for likeness in self._alike(words(party.name, party.kind)):
            match = _judge(likeness, party)
            known = best.get(likeness.listed.entry.reference)
            if match.score >= LEAST_SCORE and (known is None or match.score > known.score):
                best[likeness.listed.entry.reference] = match
        ranked = sorted(best.values(), key=lambda match: (-match.score, match.list_name, match.entry_id))
        return tuple(ranked[:_MAX_MATCHES])

    def _search(self, asked: tuple[str, ...]) -> tuple[_Likeness, ...]:
        if not asked:
            return ()
        found = self._same_letters("".join(asked), self._joined)
        for place, score in self._same_letters(" ".join(sorted(asked)), self._sorted).items():
            found[place] = max(score, found.get(place, 0))
        for place in self._parts(asked):
            found[place] = max(PART_OF_NAME, found.get(place, 0))
        return tuple(self._explain(asked, place, score) for place, score in sorted(found.items()))

    def _same_letters(self, asked: str, choices: list[str]) -> dict[int, int]:
        hits = process.extract(asked, choices, scorer=fuzz.ratio, score_cutoff=LEAST_SCORE / 10, limit=None)
        return {place: int(score * 10) for _, score, place in hits}

    def _parts(self, asked: tuple[str, ...]) -> list[int]:
        """Names that contain all the asked words, or are contained in them, if the shorter one says enough."""
        words_asked, shared = set(asked), defaultdict[int, int](int)
        for word in words_asked:
            for place in self._by_word.get(word, ()):
                shared[place] += 1
        return [
            place
            for place, count in shared.items()
            if count >= _enough_words(self._names[place].entry)
            and count in (len(words_asked), len(set(self._names[place].words)))
        ]

    def _explain(self, asked: tuple[str, ...], place: int, score: int) -> _Likeness:
        listed = self._names[place]
        if asked == listed.words:
            return _Likeness(listed, SAME_WORDS, "the name is the same")
        if sorted(asked) == sorted(listed.words):
            return _Likeness(listed, SAME_WORDS, "the same words in another order")
        if score == PART_OF_NAME and set(asked) < set(listed.words):
            return _Likeness(listed, score, "all its words stand in the listed name, which has more")
        if score == PART_OF_NAME and set(asked) > set(listed.words):
            return _Likeness(listed, score, "all words of the listed name stand in it, and more")
        if score == SAME_WORDS:
            return _Likeness(listed, score, "the same letters, divided into other words")
        return _Likeness(listed, score, f"spelled alike: the letters agree to {score // 10} %")


def _judge(likeness: _Likeness, party: Party) -> Match:
    """Lower a likeness by what speaks against it, and say what agrees and what differs."""
    entry, score, reasons = likeness.listed.entry, likeness.score, [likeness.reason]
    if likeness.listed.name != entry.name:
        reasons.append(f"an alias of {entry.name}")
    if party.kind != entry.kind:
        score -= OTHER_KIND
        reasons.append(f"the list has it as {'a person' if entry.kind == 'person' else 'an organization'}")
    if party.birth_date and entry.birth_years:
        year = int(party.birth_date[:4])
        if min(abs(year - listed) for listed in entry.birth_years) > 1:
            score -= OTHER_BIRTH_YEAR
            reasons.append("another birth year")
        else:
            reasons.append("the birth year agrees")
    if party.nationality and entry.nationalities:
        reasons.append("the nationality agrees" if party.nationality in entry.nationalities else "another nationality")
    return Match(entry.list_name, entry.entry_id, likeness.listed.name, score, tuple(reasons))


def _listed_names(entries: Sequence[ListEntry]) -> list[_ListedName]:
    named = ((entry, name) for entry in entries for name in (entry.name, *entry.aliases))
    return [_ListedName(entry, name, found) for entry, name in named if (found := words(name, entry.kind))]


def _enough_words(entry: ListEntry) -> int:
    """Two words tell a person; of an organisation's they are too often common ones."""
    return 2 if entry.kind == "person" else 3
