"""Which words of two names are meant to be the same, and how alike they are, in thousandths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance.OSA import distance as spelled_far
from rapidfuzz.distance.OSA import normalized_similarity as spelled_alike

from compliance.names.written import MINOR, NUMBER, Reading, Word

SAME, SAME_FOLD, CALLED, SAME_BONES, INITIAL_ALIKE = 1000, 960, 920, 860, 700
LEAST = 600
"""Words less alike are different words."""

_SHORT_BONES, _BEGINNING = 780, 760
_SOUND_COUNTS, _BONES_COUNT = 950, 820
_FEW_LETTERS = 3
_LONG_NUMBER = 3
_CALLED_SHORT = 4
"""Letters that a short form may lack: "Vladimir" is no short form of "Vladimirovich"."""
_JOINED_LEAST = 0.84
_LETTERS_LEAST = 0.45
_OTHER_LETTERS = 120
"""What the same consonants count less when nearly all letters differ."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Places of words in the asked and the listed name that agree, and how much; runs longer than one were joined."""

    asked: tuple[int, ...]
    listed: tuple[int, ...]
    alike: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """All pairs; each word is in one at most."""

    asked: Reading
    listed: Reading
    pairs: tuple[Pair, ...]

    def missing_in_listed(self) -> list[Word]:
        """Words of the asked name that the listed one has not."""
        met = {place for pair in self.pairs for place in pair.asked}
        return [word for place, word in enumerate(self.asked.words) if place not in met]

    def missing_in_asked(self) -> list[Word]:
        """Words of the listed name that the asked one has not."""
        met = {place for pair in self.pairs for place in pair.listed}
        return [word for place, word in enumerate(self.listed.words) if place not in met]


def likeness(one: Word, other: Word) -> int:
    """How alike two words are, 0 when they are different words."""
    if one.text == other.text:
        return SAME
    if one.plain and other.plain:
        if one.fold == other.fold:
            return SAME_FOLD
        if one.called and one.called & other.called:
            return CALLED
        most = one.kinds if one.kinds > other.kinds else other.kinds
        return 0 if 2 * (one.letters & other.letters).bit_count() < most else _spelled(one, other)
    if one.role == NUMBER or other.role == NUMBER:
        return _numbers(one, other)
    return _initials(one, other)


def _numbers(one: Word, other: Word) -> int:
    """Long numbers with a slip stand for each other, though they are not the same."""
    if one.role != other.role or min(len(one.text), len(other.text)) < _LONG_NUMBER:
        return 0
    return LEAST if spelled_far(one.text, other.text, score_cutoff=1) <= 1 else 0


def _initials(one: Word, other: Word) -> int:
    if one.role == other.role or MINOR in (one.role, other.role):
        return 0
    return INITIAL_ALIKE if one.text[0] == other.text[0] or one.sound[:1] == other.sound[:1] else 0


def _spelled(one: Word, other: Word) -> int:
    shorter, longer = len(one.text), len(other.text)
    if shorter > longer:
        shorter, longer = longer, shorter
    best = 0
    if 5 * shorter >= 3 * longer:
        best = int(1000 * spelled_alike(one.text, other.text, score_cutoff=0.6))
        if shorter > _FEW_LETTERS:
            best = max(best, int(_SOUND_COUNTS * spelled_alike(one.sound, other.sound, score_cutoff=0.65)))
    if _FEW_LETTERS < shorter >= longer - _CALLED_SHORT and (
        one.text.startswith(other.text) or other.text.startswith(one.text)
    ):
        best = max(best, _BEGINNING)
    if shorter < _FEW_LETTERS and one.sound == other.sound:
        best = max(best, _SHORT_BONES)
    bones = _bones_alike(one.skeleton, other.skeleton)
    if bones > best:
        alike = spelled_alike(one.text, other.text, score_cutoff=_LETTERS_LEAST)
        best = bones if alike else max(best, bones - _OTHER_LETTERS)
    return best if best >= LEAST else 0


def _bones_alike(one: str, other: str) -> int:
    few = min(len(one), len(other))
    if one == other:
        return 0 if few < 2 else SAME_BONES if few > 2 else _SHORT_BONES
    if few <= _FEW_LETTERS:
        return 0
    return int(_BONES_COUNT * spelled_alike(one, other, score_cutoff=0.75))


def compare(asked: Reading, listed: Reading) -> Alignment:
    """Pair the words of two names."""
    alike = {(one, other): likeness(one, other) for one in asked.words for other in listed.words}
    return align(asked, listed, alike)


def align(asked: Reading, listed: Reading, alike: Mapping[tuple[Word, Word], int]) -> Alignment:
    """Pair the words, the most alike first. `alike` has the likeness of those words that are alike at all."""
    found = []
    for i, one in enumerate(asked.words):
        for j, other in enumerate(listed.words):
            if score := alike.get((one, other)):
                found.append((-score * min(one.weight, other.weight), abs(i - j), i, j, score))
    found.sort()
    pairs, left_asked, left_listed = list[Pair](), set(range(len(asked.words))), set(range(len(listed.words)))
    for _, _, i, j, score in found:
        if i in left_asked and j in left_listed:
            left_asked.discard(i)
            left_listed.discard(j)
            pairs.append(Pair((i,), (j,), score))
    if left_asked or left_listed:
        pairs = _joined(asked, listed, pairs, left_asked, left_listed)
    return Alignment(asked, listed, tuple(pairs))


def _joined(
    asked: Reading, listed: Reading, pairs: list[Pair], left_asked: set[int], left_listed: set[int]
) -> list[Pair]:
    """Words written as one in the other name: "Jongun" for "Jong Un". A poor pair gives way to a better joined one."""
    poor = {pair for pair in pairs if pair.alike < SAME_BONES}
    free_asked = left_asked | {place for pair in poor for place in pair.asked}
    free_listed = left_listed | {place for pair in poor for place in pair.listed}
    candidates = [
        *((-score, run, (j,)) for run, j, score in _runs(asked.words, free_asked, listed.words, free_listed)),
        *((-score, (i,), run) for run, i, score in _runs(listed.words, free_listed, asked.words, free_asked)),
    ]
    for score, run_asked, run_listed in sorted(candidates):
        if free_asked.issuperset(run_asked) and free_listed.issuperset(run_listed):
            free_asked -= set(run_asked)
            free_listed -= set(run_listed)
            pairs = [each for each in pairs if not _touches(each, run_asked, run_listed)]
            pairs.append(Pair(run_asked, run_listed, -score))
    return pairs


def _touches(pair: Pair, run_asked: tuple[int, ...], run_listed: tuple[int, ...]) -> bool:
    return not set(run_asked).isdisjoint(pair.asked) or not set(run_listed).isdisjoint(pair.listed)


def _runs(
    words: tuple[Word, ...], free: set[int], others: tuple[Word, ...], free_others: set[int]
) -> list[tuple[tuple[int, ...], int, int]]:
    """Two or three free words in a row that are written as one free word of the other name: (run, place, likeness)."""
    found = list[tuple[tuple[int, ...], int, int]]()
    if len(free) < 2 or not free_others:
        return found
    for size in (2, 3):
        for start in range(len(words) - size + 1):
            run = tuple(range(start, start + size))
            if not free.issuperset(run):
                continue
            text = "".join(words[place].text for place in run)
            for place in free_others:
                score = _as_one(text, words[start : start + size], others[place])
                if score:
                    found.append((run, place, score))
    return found


def _as_one(text: str, run: tuple[Word, ...], other: Word) -> int:
    if len(other.text) <= _FEW_LETTERS or other.role != 0 or abs(len(text) - len(other.text)) > 2:
        return 0
    if text == other.text:
        return SAME_FOLD
    heard = spelled_alike("".join(word.fold for word in run), other.fold, score_cutoff=_JOINED_LEAST)
    return int(_SOUND_COUNTS * heard)
