"""What the model looks at: whole numbers about two names that were aligned."""

from __future__ import annotations

from itertools import pairwise

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from compliance.names.align import SAME_BONES, Alignment
from compliance.names.scripts import LATIN
from compliance.names.written import INITIAL, NAME, NUMBER, Reading, Word

FEATURES = (
    *("kind", "scripts", "asked_covered", "listed_covered", "asked_heaviest_missing", "listed_heaviest_missing"),
    *("asked_missing", "listed_missing", "worst_alike", "worst_weight", "well_met", "weight_met", "heaviest_met"),
    *("asked_names", "listed_names", "initials_met", "initials_missing", "letters_alike", "sounds_alike"),
    *("numbers", "forms", "order", "native_alike", "doubtful", "joined", "rest_alike", "letters", "asked_weight"),
    *("listed_weight", "worst_letters", "second_alike", "worst_edits", "worst_heard", "edits", "heard"),
)

_NOT_COMPARED = -1


def features(alignment: Alignment, kind: str) -> list[int]:
    """In the order of FEATURES. Shares and likenesses are thousandths."""
    asked, listed = alignment.asked, alignment.listed
    rest_asked, rest_listed = alignment.missing_in_listed(), alignment.missing_in_asked()
    return [
        int(kind == "organization"),
        _scripts(asked, listed),
        *_coverage(alignment),
        *_missing(rest_asked, rest_listed),
        *_met(alignment),
        _count(asked.words, NAME),
        _count(listed.words, NAME),
        *_initials(alignment, rest_asked, rest_listed),
        int(10 * fuzz.ratio(_letters(asked), _letters(listed))),
        sounds_alike(asked, listed),
        _numbers(asked, listed),
        _forms(asked.forms, listed.forms),
        order_of(alignment),
        _native(asked, listed),
        sum(pair.alike < SAME_BONES for pair in alignment.pairs),
        sum(len(pair.asked) != len(pair.listed) for pair in alignment.pairs),
        _rest(rest_asked, rest_listed),
        min(len(_letters(asked)), len(_letters(listed))),
        sum(word.weight for word in asked.words),
        sum(word.weight for word in listed.words),
        *_worst(alignment),
        *_edits(alignment),
    ]


def _scripts(asked: Reading, listed: Reading) -> int:
    """0 for both in Latin letters, 1 for another script of both, else 2 and the script that is not Latin."""
    if asked.script == listed.script:
        return int(asked.script != LATIN)
    return 2 + (asked.script or listed.script)


def _coverage(alignment: Alignment) -> tuple[int, int]:
    """How much of each name's weight the other has."""
    asked, listed = alignment.asked.words, alignment.listed.words
    met_asked = sum(pair.alike * sum(asked[place].weight for place in pair.asked) for pair in alignment.pairs)
    met_listed = sum(pair.alike * sum(listed[place].weight for place in pair.listed) for pair in alignment.pairs)
    return met_asked // _weight(asked), met_listed // _weight(listed)


def _weight(words: tuple[Word, ...]) -> int:
    return max(1, sum(word.weight for word in words))


def _missing(asked: list[Word], listed: list[Word]) -> tuple[int, int, int, int]:
    """The heaviest word that the other has not, of both; then all their weight."""
    weights = [[word.weight for word in words if word.role == NAME] for words in (asked, listed)]
    return max(weights[0], default=0), max(weights[1], default=0), sum(weights[0]), sum(weights[1])


def _met(alignment: Alignment) -> tuple[int, int, int, int, int]:
    """Likeness and weight of the worst pair of names, how many agree well, their weight, and the heaviest's."""
    names = _names_met(alignment)
    worst = min(names, default=(0, 0))
    well = [weight for alike, weight in names if alike >= SAME_BONES]
    return worst[0], worst[1], len(well), sum(well), max(well, default=0)


def _names_met(alignment: Alignment) -> list[tuple[int, int]]:
    asked, listed = alignment.asked.words, alignment.listed.words
    found = []
    for pair in alignment.pairs:
        roles = {asked[place].role for place in pair.asked} | {listed[place].role for place in pair.listed}
        if roles <= {NAME, NUMBER} or len(pair.asked) + len(pair.listed) > 2:
            weights = sum(asked[i].weight for i in pair.asked), sum(listed[j].weight for j in pair.listed)
            found.append((pair.alike, min(weights)))
    return found


def _worst(alignment: Alignment) -> tuple[int, int]:
    """Letters of the worst pair's shorter word; likeness of the second worst pair."""
    names = sorted((pair.alike, _pair_letters(alignment, pair.asked, pair.listed)) for pair in alignment.pairs)
    return (names[0][1] if names else 0), (names[1][0] if len(names) > 1 else 0)


def _edits(alignment: Alignment) -> tuple[int, int, int, int]:
    """Letters to change, and sounds to change, of the pair that needs most; then of all pairs together."""
    letters, heard = [0], [0]
    for pair in alignment.pairs:
        one, other = alignment.asked.words[pair.asked[0]], alignment.listed.words[pair.listed[0]]
        if len(pair.asked) == len(pair.listed) and one.text != other.text and one.role == other.role == NAME:
            letters.append(OSA.distance(one.text, other.text))
            heard.append(OSA.distance(one.fold, other.fold))
    return max(letters), max(heard), sum(letters), sum(heard)


def _pair_letters(alignment: Alignment, asked: tuple[int, ...], listed: tuple[int, ...]) -> int:
    return min(
        sum(len(alignment.asked.words[place].text) for place in asked),
        sum(len(alignment.listed.words[place].text) for place in listed),
    )


def _count(words: tuple[Word, ...], role: int) -> int:
    return sum(word.role == role for word in words)


def _initials(alignment: Alignment, asked: list[Word], listed: list[Word]) -> tuple[int, int]:
    words = alignment.asked.words
    others = alignment.listed.words
    met = sum(INITIAL in (words[pair.asked[0]].role, others[pair.listed[0]].role) for pair in alignment.pairs)
    return met, sum(word.role == INITIAL for word in (*asked, *listed))


def _letters(reading: Reading) -> str:
    return "".join(sorted_text(reading))


def sorted_text(reading: Reading) -> list[str]:
    """The words that say something, sorted."""
    return sorted(word.text for word in reading.words if word.role in (NAME, NUMBER, INITIAL))


def sounds_alike(asked: Reading, listed: Reading) -> int:
    """How alike all their sounds are in a row, or with the listed name's first or last word moved to the other end."""
    return max(int(10 * fuzz.ratio(asked.sounds[0], each)) for each in listed.sounds)


def _numbers(asked: Reading, listed: Reading) -> int:
    """0 for none or the same numbers, 1 if only one name has some, 2 for others."""
    found = [{word.text for word in reading.words if word.text.isdigit()} for reading in (asked, listed)]
    if found[0] == found[1]:
        return 0
    return 2 if found[0] and found[1] else 1


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


def _rest(asked: list[Word], listed: list[Word]) -> int:
    """How alike the words are that found no partner, taken together; -1 unless both names have such."""
    texts = ["".join(word.sound for word in words if word.role == NAME) for words in (asked, listed)]
    if not all(texts):
        return _NOT_COMPARED
    return int(1000 * OSA.normalized_similarity(texts[0], texts[1]))
