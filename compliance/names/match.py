"""Which listed names a party's name resembles, how much, and why in words.

Scores are whole thousandths: 1000 is the same words in any order. So a stored decision re-runs to the same figure. A
score depends on the two names only, never on what else is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from compliance.lists.entries import ListEntry
from compliance.names.features import FEATURES, features, order_of
from compliance.names.judge import Identified, Match, judge
from compliance.names.model import shipped_model
from compliance.names.search import Compared, ListedNames, least_reported
from compliance.names.written import MAX_LETTERS, Reading, Writing
from contracts.terms.parties import Party

SAME_WORDS = 1000
LEAST_SCORE = 800
"""What resembles less is not reported."""

ALMOST_SAME = 965
"""The most for other than the same words or letters, or without what stands in brackets: however sure the model is, a
person should look."""

SAME_IN_LATIN = 975
"""The same words once one of the names was written in Latin letters."""

SAME_BUT = 980
"""The same words in an order that is not usual or with another legal form, or the same letters, divided otherwise."""

OTHER_NUMBER = 865
"""The most for organisations and vessels of which one has a number that the other has not: reported, not held."""

OTHER_WORDS = 850
"""The most when each name has a word that the other has not, in brackets or without, or another abbreviation, "A.B.C.":
reported, not held."""

NICKNAME = 820
"""The most for a person with several names of which a listed one-word name is one: reported, not held."""

SHUFFLED = 900
"""The same letters in each word, in another order: as names are turned round to pass."""

OTHER_CHARACTERS = 880
"""The most when both names are written in Chinese characters or in Hangul, and differ there."""

WEAK = 940
"""The most for a name that the list itself calls weak."""

_FEW_LETTERS = 6
_MAX_MATCHES = 10
_BOTH_LACK = FEATURES.index("known_missing")
"""Zero unless each name has a word that the other has not."""

_KNOWN = 131_072
"""Names whose answer is kept, so that a customer seen before costs a look-up."""


@dataclass(frozen=True, slots=True)
class _Likeness:
    """The best of an entry's names."""

    compared: Compared
    score: int


class NameIndex:
    """Answers for one version of the lists. Names seen before cost a look-up. Usable from several threads.

    `least` is the score from which a match is reported.
    """

    def __init__(self, entries: Sequence[ListEntry], least: int = LEAST_SCORE) -> None:
        self._model = shipped_model()
        self._least = least
        self._names = ListedNames(entries, Writing(self._model.rarity))
        self._identified = Identified(entries)
        self._alike = lru_cache(maxsize=_KNOWN)(self._search)

    @property
    def version(self) -> str:
        """Of the model that scores, a SHA-256 in hex: the same version scores alike."""
        return self._model.version

    def matches(self, party: Party) -> tuple[Match, ...]:
        """At most ten matches, the best first, one for each listed entry."""
        alike = self._alike(party.name[:MAX_LETTERS], party.kind)
        judged = [judge(likeness.compared, likeness.score, party) for likeness in alike]
        found = [match for match in judged if match.score >= self._least]
        if party.identification:
            found += self._identified.others(party, found)
        found.sort(key=lambda match: (-match.score, match.list_name, match.entry_id))
        return tuple(found[:_MAX_MATCHES])

    def _search(self, name: str, kind: str) -> tuple[_Likeness, ...]:
        best: dict[str, _Likeness] = {}
        for compared in self._names.near(name, kind, reported=self._least >= LEAST_SCORE):
            score = self._score(compared, kind)
            known = best.get(compared.listed.entry.reference)
            if score >= self._least and (known is None or score > known.score):
                best[compared.listed.entry.reference] = _Likeness(compared, score)
        return tuple(best.values())

    def _score(self, compared: Compared, kind: str) -> int:
        asked, listed = compared.alignment.asked, compared.listed
        found = features(compared.alignment, kind)
        score = min(ALMOST_SAME, self._model.score(found))
        if found[_BOTH_LACK] or other_abbreviation(asked, listed.reading):
            score = min(score, OTHER_WORDS)
        elif kind == "person" and asked.names > listed.reading.names == 1 == len(listed.reading.words):
            score = min(score, NICKNAME)
        if asked.numbers != listed.reading.numbers and kind == listed.entry.kind == "organization":
            score = min(score, OTHER_NUMBER)
        if compared.shared < least_reported(compared.alignment.asked):
            return min(score, LEAST_SCORE - 1)
        if asked.native and listed.reading.native and asked.script == listed.reading.script:
            if sorted(asked.native) != sorted(listed.reading.native):
                score = min(score, OTHER_CHARACTERS)
            elif same_words(asked, listed.reading):
                score = SAME_WORDS
        elif same_words(asked, listed.reading):
            score = _same(compared)
        elif same_letters(asked, listed.reading):
            score = SAME_BUT if asked.script == listed.reading.script else SAME_IN_LATIN
        elif shuffled(asked, listed.reading):
            score = max(score, SHUFFLED)
        if not (asked.whole and listed.reading.whole):
            score = min(score, OTHER_WORDS if asked.added and listed.reading.added else ALMOST_SAME)
        return min(score, WEAK) if listed.weak else score


def same_words(one: Reading, other: Reading) -> bool:
    """Whether the words that say something are the same, in any order."""
    return one.told == other.told or (bool(one.key) and one.key == other.key)


def other_abbreviation(one: Reading, other: Reading) -> bool:
    """Whether both are written with abbreviations, and none is the same."""
    return bool(one.abbreviations and other.abbreviations) and one.abbreviations.isdisjoint(other.abbreviations)


def same_letters(one: Reading, other: Reading) -> bool:
    """Whether the words that say something are the same when written without spaces."""
    return len(one.letters) >= _FEW_LETTERS and one.letters == other.letters


def shuffled(one: Reading, other: Reading) -> bool:
    """Whether each word has the letters of a word of the other name, in another order."""
    return (
        one.anagram == other.anagram
        and len(one.anagram) >= _FEW_LETTERS
        and sorted(map(sorted, one.key)) == sorted(map(sorted, other.key))
    )


def _same(compared: Compared) -> int:
    """Of a name with the same words."""
    asked, listed = compared.alignment.asked, compared.alignment.listed
    if asked.script != listed.script:
        return SAME_IN_LATIN
    other_form = asked.forms and listed.forms and not asked.forms & listed.forms
    return SAME_BUT if other_form or order_of(compared.alignment) > 1 else SAME_WORDS
