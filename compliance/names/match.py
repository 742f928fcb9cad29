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
from compliance.names.written import MAX_LETTERS, MINOR, NAME, Reading, Writing
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
"""The most when each name has a word of its own, or both are nothing but abbreviations, "A.B.C.", and not the same:
reported, not held."""

REST_ALIKE = 700
"""Thousandths: words that are more alike, taken together, may be the same ones, divided and spelled otherwise."""

NICKNAME = 820
"""The most for a person with several names of which a listed one-word name is one: reported, not held."""

SHUFFLED = 900
"""The same letters in each word, in another order: as names are turned round to pass."""

OTHER_CHARACTERS = 880
"""The most when both names are written in Chinese characters or in Hangul, and differ there."""

WEAK = 940
"""The most for a name that the list itself calls weak."""

_FEW_LETTERS, _FEWEST_SHUFFLED = 6, 5
_MAX_MATCHES = 10
_REST_ALIKE, _ASKED_MISSING = FEATURES.index("rest_alike"), FEATURES.index("asked_missing")

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
        """At most ten matches by name, and ten by number, the best first, one for each listed entry."""
        alike = self._alike(party.name[:MAX_LETTERS], party.kind)
        judged = [judge(likeness.compared, likeness.score, party) for likeness in alike]
        found = [match for match in judged if match.score >= self._least]
        found.sort(key=_best_first)
        numbered = self._identified.others(party, found) if party.identification else []
        return tuple(sorted([*found[:_MAX_MATCHES], *numbered[:_MAX_MATCHES]], key=_best_first))

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
        if 0 <= found[_REST_ALIKE] < REST_ALIKE or other_abbreviation(asked, listed.reading):
            score = min(score, OTHER_WORDS)
        elif kind == "person" and found[_ASKED_MISSING] and len(listed.reading.words) == 1:
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
            score = min(score, ALMOST_SAME)
        return min(score, WEAK) if listed.weak else score


def _best_first(match: Match) -> tuple[int, str, str]:
    return -match.score, match.list_name, match.entry_id


def same_words(one: Reading, other: Reading) -> bool:
    """Whether the words that say something are the same, in any order."""
    return one.told == other.told or (bool(one.key) and one.key == other.key)


def other_abbreviation(one: Reading, other: Reading) -> bool:
    """Whether both names are abbreviations alone, and not the same."""
    alone = one.abbreviations.issuperset(one.key) and other.abbreviations.issuperset(other.key)
    return alone and one.key != other.key


def same_letters(one: Reading, other: Reading) -> bool:
    """Whether the words that say something are the same when written without spaces."""
    return len(one.letters) >= _FEW_LETTERS and one.letters == other.letters


def shuffled(one: Reading, other: Reading) -> bool:
    """Whether the words that differ are no words that are known, and have the letters of those of the other name in
    another order. Short ones and numbers have those of others by chance."""
    if one.anagram != other.anagram:
        return False
    changed, before = (
        [word for word in each.words if word.role != MINOR and word.text not in known.key]
        for each, known in ((one, other), (other, one))
    )
    return (
        all(word.role == NAME and len(word.text) >= _FEWEST_SHUFFLED for word in (*changed, *before))
        and not any(word.known for word in changed)
        and sorted(sorted(word.text) for word in changed) == sorted(sorted(word.text) for word in before)
    )


def _same(compared: Compared) -> int:
    """Of a name with the same words."""
    asked, listed = compared.alignment.asked, compared.alignment.listed
    if asked.script != listed.script:
        return SAME_IN_LATIN
    other_form = asked.forms and listed.forms and not asked.forms & listed.forms
    return SAME_BUT if other_form or order_of(compared.alignment) > 1 else SAME_WORDS
