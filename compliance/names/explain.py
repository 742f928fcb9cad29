"""What an officer reads about a match: what agrees and what differs. Only words of the list are named: the party's own
name is personal data, which reasons do not hold."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.names.align import CALLED, INITIAL_ALIKE, LEAST, SAME, SAME_BONES, Alignment, Pair
from compliance.names.search import Compared
from compliance.names.written import INITIAL, MINOR

_SAME_SPELLING = 950


def explained(compared: Compared) -> tuple[str, ...]:
    """In whole phrases, the most important first."""
    listed, alignment = compared.listed, compared.alignment
    reasons = [*_agreement(alignment), *_differences(alignment)]
    if not (alignment.asked.whole and alignment.listed.whole):
        reasons.append("compared without what stands in brackets or after a stroke")
    if alignment.asked.script != alignment.listed.script:
        reasons.append("compared as written in Latin letters")
    if listed.name != listed.entry.name:
        reasons.append(f"{'a weak alias' if listed.weak else 'an alias'} of {listed.entry.name}")
    return tuple(reasons)


def _agreement(alignment: Alignment) -> Iterable[str]:
    asked, listed = alignment.asked, alignment.listed
    told = [word.text for word in asked.words if word.role != MINOR]
    known = [word.text for word in listed.words if word.role != MINOR]
    if told == known:
        yield "the name is the same" if asked.script == listed.script else "the name is the same in Latin letters"
    elif sorted(told) == sorted(known):
        yield "the same words in another order"
    elif "".join(told) == "".join(known):
        yield "the same letters, divided into other words"
    elif sorted(map(sorted, told)) == sorted(map(sorted, known)):
        yield "the same letters in each word, in another order"
    else:
        yield from _pairs(alignment)


def _pairs(alignment: Alignment) -> Iterable[str]:
    """Which of the listed name's words agree, and how."""
    ways: dict[str, list[str]] = {}
    for pair in sorted(alignment.pairs, key=lambda pair: pair.listed):
        words = " ".join(alignment.listed.words[place].text for place in pair.listed)
        ways.setdefault(_way(alignment, pair), []).append(words.upper())
    for way, names in ways.items():
        yield f"{_list(names)}: {way}"


def _way(alignment: Alignment, pair: Pair) -> str:
    roles = {alignment.asked.words[place].role for place in pair.asked}
    roles |= {alignment.listed.words[place].role for place in pair.listed}
    if pair.alike == SAME:
        return "the same"
    if len(pair.asked) != len(pair.listed):
        return "the same, divided into other words" if pair.alike >= _SAME_SPELLING else "alike, divided otherwise"
    if INITIAL in roles and pair.alike == INITIAL_ALIKE:
        return "the initial agrees"
    if pair.alike == CALLED:
        return "another form of this name"
    if pair.alike >= _SAME_SPELLING:
        return "spelled alike, the same sounds"
    if pair.alike == SAME_BONES:
        return "the consonants agree"
    assert pair.alike >= LEAST, "worse words are not paired"
    return f"spelled alike ({pair.alike // 10} %)"


def _differences(alignment: Alignment) -> Iterable[str]:
    lacking = [word for word in alignment.missing_in_asked() if word.role != MINOR]
    more = [word for word in alignment.missing_in_listed() if word.role != MINOR]
    if lacking and not more:
        yield f"all its words stand in the listed name, which also has {_list(word.text.upper() for word in lacking)}"
    elif more and not lacking:
        yield f"all words of the listed name stand in it, and {len(more)} more"
    elif lacking:
        yield f"{_list(word.text.upper() for word in lacking)} of the listed name is missing, {_other(len(more))}"
    if alignment.asked.abbreviations and alignment.listed.abbreviations - alignment.asked.abbreviations:
        yield "another abbreviation"
    if alignment.asked.forms and alignment.listed.forms and not alignment.asked.forms & alignment.listed.forms:
        yield "another legal form"


def _other(count: int) -> str:
    return "another word stands instead" if count == 1 else f"{count} other words stand instead"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
