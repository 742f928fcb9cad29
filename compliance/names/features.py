"""What the model looks at: whole numbers about two names that were aligned."""

from __future__ import annotations

from itertools import pairwise

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from compliance.names.align import CALLED, SAME_BONES, Alignment, Pair
from compliance.names.scripts import LATIN
from compliance.names.written import INITIAL, NAME, NUMBER, Reading, Word

FEATURES = (
    *("kind", "scripts", "asked_covered", "listed_covered", "well_met", "weight_met", "heaviest_met"),
    *("worst_alike", "worst_weight", "worst_letters", "second_alike", "doubtful", "joined", "initials_met"),
    *("known_apart", "worst_edits", "worst_heard", "edits", "heard"),
    *("asked_heaviest_missing", "listed_heaviest_missing", "asked_missing", "listed_missing", "rest_alike"),
    *("initials_missing", "initials_against", "known_missing", "asked_names", "listed_names", "asked_weight"),
    *("listed_weight", "letters", "letters_alike", "sounds_alike", "numbers", "forms", "order", "native_alike"),
)

_NOT_COMPARED = -1
_NAMES = (NAME, NUMBER)
_TWO_CALLED = 1000
"""What two names count more, in thousandths of likeness, that are called otherwise and are both in the vocabulary."""


def features(alignment: Alignment, kind: str) -> list[int]:
    """In the order of FEATURES. Shares and likenesses are thousandths."""
    asked, listed = alignment.asked, alignment.listed
    return [
        int(kind == "organization"),
        _scripts(asked, listed),
        *_coverage(alignment),
        *_met(alignment),
        *_apart(alignment),
        *_missing(alignment.missing_in_listed(), alignment.missing_in_asked()),
        asked.names,
        listed.names,
        asked.weight,
        listed.weight,
        min(len(asked.sorted_letters), len(listed.sorted_letters)),
        int(10 * fuzz.ratio(asked.sorted_letters, listed.sorted_letters)),
        sounds_alike(asked, listed),
        _numbers(asked, listed),
        _forms(asked.forms, listed.forms),
        order_of(alignment),
        _native(asked, listed),
    ]


def _scripts(asked: Reading, listed: Reading) -> int:
    """0 for both in Latin letters, 1 for another script of both, else 2 and the script that is not Latin."""
    if asked.script == listed.script:
        return int(asked.script != LATIN)
    return 2 + (asked.script or listed.script)


def _coverage(alignment: Alignment) -> tuple[int, int]:
    """How much of each name's weight the other has."""
    asked, listed = alignment.asked.words, alignment.listed.words
    met_asked = met_listed = 0
    for pair in alignment.pairs:
        met_asked += pair.alike * _weight(asked, pair.asked)
        met_listed += pair.alike * _weight(listed, pair.listed)
    return met_asked // alignment.asked.weight, met_listed // alignment.listed.weight


def _weight(words: tuple[Word, ...], places: tuple[int, ...]) -> int:
    return words[places[0]].weight if len(places) == 1 else sum(words[place].weight for place in places)


def _met(alignment: Alignment) -> tuple[int, ...]:
    """Of pairs of names that agree well: how many, their weight, the heaviest's. Of the worst: likeness and weight. Of
    the worst of all pairs: letters of its shorter word, then the second worst's likeness. Doubtful pairs, pairs of
    words divided otherwise, initials that agree."""
    names, lengths, well = list[tuple[int, int]](), list[tuple[int, int]](), list[int]()
    doubtful = joined = initials = 0
    for pair in alignment.pairs:
        one, other = _single(alignment, pair)
        if one is None or other is None:
            weight, letters = _of_joined(alignment, pair)
            named, joined = True, joined + 1
        else:
            weight = one.weight if one.weight < other.weight else other.weight
            letters = min(len(one.text), len(other.text))
            named = one.role in _NAMES and other.role in _NAMES
            initials += one.role == INITIAL or other.role == INITIAL
        lengths.append((pair.alike, letters))
        if named:
            names.append((pair.alike, weight))
        if pair.alike < SAME_BONES:
            doubtful += 1
        elif named:
            well.append(weight)
    lengths.sort()
    return (
        *(len(well), sum(well), max(well, default=0)),
        *min(names, default=(0, 0)),
        lengths[0][1] if lengths else 0,
        lengths[1][0] if len(lengths) > 1 else 0,
        *(doubtful, joined, initials),
    )


def _of_joined(alignment: Alignment, pair: Pair) -> tuple[int, int]:
    """The weight of the lighter side, and the letters of the shorter."""
    sides = ((alignment.asked.words, pair.asked), (alignment.listed.words, pair.listed))
    letters = (sum(len(words[place].text) for place in places) for words, places in sides)
    return min(_weight(words, places) for words, places in sides), min(letters)


def _apart(alignment: Alignment) -> tuple[int, int, int, int, int]:
    """How unlike the words are, at most, of a pair of words that many names have. Letters to change, and sounds to
    change, of the pair that needs most; then of all pairs together."""
    known = worst_letters = worst_sounds = letters = sounds = 0
    for pair in alignment.pairs:
        one, other = _single(alignment, pair)
        if one is None or other is None or one.text == other.text:
            continue
        if pair.alike < CALLED and one.known and other.known:
            known = max(known, 1000 - pair.alike + _TWO_CALLED * bool(one.called and other.called))
        if one.role == other.role == NAME:
            edits, heard = OSA.distance(one.text, other.text), OSA.distance(one.fold, other.fold)
            worst_letters, worst_sounds = max(worst_letters, edits), max(worst_sounds, heard)
            letters, sounds = letters + edits, sounds + heard
    return known, worst_letters, worst_sounds, letters, sounds


def _single(alignment: Alignment, pair: Pair) -> tuple[Word, Word] | tuple[None, None]:
    """The two words of a pair, none if words were joined."""
    if len(pair.asked) != len(pair.listed):
        return None, None
    return alignment.asked.words[pair.asked[0]], alignment.listed.words[pair.listed[0]]


def _missing(asked: list[Word], listed: list[Word]) -> tuple[int, ...]:
    """Of names that the other name has not: the heaviest of both sides, all their weight, how alike they are; initials;
    initials that the other name's words contradict; 1 if both sides have names left, 2 if known ones."""
    if not asked and not listed:
        return _NONE_MISSING
    asked_names, asked_initials, asked_heaviest, asked_weight, asked_known = _left(asked)
    listed_names, listed_initials, listed_heaviest, listed_weight, listed_known = _left(listed)
    against = asked_initials if listed_names or listed_initials else 0
    against += listed_initials if asked_names or asked_initials else 0
    both = bool(asked_names and listed_names)
    return (
        *(asked_heaviest, listed_heaviest, asked_weight, listed_weight),
        _rest(asked_names, listed_names) if both else _NOT_COMPARED,
        asked_initials + listed_initials,
        against,
        both + (both and asked_known and listed_known),
    )


_NONE_MISSING = (0, 0, 0, 0, _NOT_COMPARED, 0, 0, 0)


def _left(words: list[Word]) -> tuple[list[Word], int, int, int, bool]:
    """Of words that found no partner: the names, how many initials; of the names the heaviest, all their weight,
    whether many names have one of them."""
    names, initials, heaviest, weight, known = list[Word](), 0, 0, 0, False
    for word in words:
        if word.role == NAME:
            names.append(word)
            heaviest, weight, known = max(heaviest, word.weight), weight + word.weight, known or word.known
        elif word.role == INITIAL:
            initials += 1
    return names, initials, heaviest, weight, known


def _rest(asked: list[Word], listed: list[Word]) -> int:
    """How alike the words are that found no partner, taken together."""
    texts = ["".join(word.sound for word in words) for words in (asked, listed)]
    return int(1000 * OSA.normalized_similarity(texts[0], texts[1]))


def sounds_alike(asked: Reading, listed: Reading, least: int = 0) -> int:
    """How alike all their sounds are in a row, or with the listed name's first or last word moved to the other end; 0
    when less than `least`."""
    best = 0
    for each in listed.sounds:
        heard = fuzz.ratio(asked.sounds[0], each, score_cutoff=least / 10)
        if 10 * heard > best:
            best = int(10 * heard)
    return best


def _numbers(asked: Reading, listed: Reading) -> int:
    """0 for none or the same numbers, 1 if only one name has some, 2 for others."""
    if asked.numbers == listed.numbers:
        return 0
    return 2 if asked.numbers and listed.numbers else 1


def _forms(asked: int, listed: int) -> int:
    """0 for no legal form, 1 for one that agrees, 2 if only one name has one, 3 for others."""
    if not asked and not listed:
        return 0
    if asked and listed:
        return 1 if asked & listed else 3
    return 2


def order_of(alignment: Alignment) -> int:
    """0 for the same order of the words that agree, 1 for some moved from one end to the other, 2 for others."""
    places = [pair.listed[0] for pair in sorted(alignment.pairs, key=lambda pair: pair.asked)]
    falls = sum(one > other for one, other in pairwise(places))
    if falls == 1:
        return 1 if places[-1] < places[0] else 2
    return 2 if falls else 0


def _native(asked: Reading, listed: Reading) -> int:
    if not asked.native or asked.script != listed.script:
        return _NOT_COMPARED
    return int(10 * fuzz.ratio(asked.native, listed.native))
