"""Legal forms among the words of an organisation's name: found however they are spelled or divided, and taken out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance.OSA import distance as spelled_far
from rapidfuzz.distance.OSA import normalized_similarity as spelled_alike
from rapidfuzz.process import extractOne

from compliance.names.spelling import fold, sound


def _heard(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(sound(fold(word)) for word in words)


_VOCABULARY = tomllib.loads((Path(__file__).parent / "vocabulary.toml").read_text("utf-8"))["organization"]
_WAYS: Mapping[str, Sequence[str]] = _VOCABULARY["forms"]
_WHOLE_FORMS = {tuple(way.split()): form for form, ways in _WAYS.items() for way in ways}
_MANY_WORDS, _MANY_LETTERS = 3, 16
_FORMS = {
    way[:place] + way[place + 1 :]: form
    for way, form in _WHOLE_FORMS.items()
    if len(way) >= _MANY_WORDS and len("".join(way)) >= _MANY_LETTERS
    for place in range(len(way))
} | _WHOLE_FORMS
"""Long ones also with a word left out, where that is no form of its own."""

_FORMS_HEARD = {_heard(way): form for way, form in reversed(_FORMS.items()) if len(way) > 1}
_FORM_BITS = {form: 1 << place for place, form in enumerate(_WAYS)}
_LONGEST_FORM = max(map(len, _FORMS))
_ANYWHERE = frozenset(_VOCABULARY["anywhere"]["forms"])
_ORDINARY = frozenset(_VOCABULARY["anywhere"]["but"])
_WORDS = frozenset(word for phrase in _FORMS for word in phrase if len(word) > 4) - _ORDINARY
"""Words that mean nothing but a legal form."""

_SPELLINGS = sorted(_WORDS)
_MISSPELLED, _SURE_LETTERS, _FEWEST_LETTERS = 0.79, 7, 4
_ORDINARY_SPELLINGS = sorted({word for phrase in _FORMS for word in phrase if word in _ORDINARY and len(word) >= 6})
_ALL_SPELLINGS = (*_SPELLINGS, *_ORDINARY_SPELLINGS)
_HEARD = {fold(word): word for word in (*_ORDINARY_SPELLINGS, *_SPELLINGS)}
_GLUED_LETTERS = 7
_GLUED = [word for word in _WORDS if len(word) >= _GLUED_LETTERS]
_GLUED_ENDS = tuple(sorted([*_GLUED, *_VOCABULARY["glued"]["ends"]]))
_GLUED_STARTS = tuple(sorted([*_GLUED, *_VOCABULARY["glued"]["starts"]]))
_CONSONANTS = ("gmbh", "pjsc", "ltd", "llc")
_SHORT_HEARD = {sound(fold(form)): form for form in (*_CONSONANTS, "ojsc", "cjsc", "sarl", "fze", "fzco", "bhd")}
_VOWELS = frozenset("aeiouy")
_LONG = 5
"""Letters of a form that may be glued to two letters; shorter ones need three."""


def spelled_out(tokens: Iterable[str]) -> list[str]:
    """The words with those of legal forms as they are spelled: apart from others, in one piece and without slips."""
    whole = _whole([part for token in tokens for part in _unglued(token)])
    found = [_corrected(token) for token in whole]
    for place, (token, spelled) in enumerate(zip(whole, found, strict=True)):
        unsure = (
            min(len(spelled), len(token)) < _SURE_LETTERS - 1 or len(spelled) < _SURE_LETTERS or spelled in _ORDINARY
        )
        if spelled != token and unsure and not _beside_form(found, place):
            found[place] = token
    return [_short(found[0]), *found[1:-1], _short(found[-1])] if len(found) > 1 else found


def is_form(token: str) -> bool:
    """Whether a word, spelled as it should be, means nothing but a legal form."""
    return token in _ANYWHERE or token in _WORDS


def without_forms(tokens: list[str]) -> tuple[list[str], int]:
    """The words without legal forms at the ends, and long ones anywhere; bits of what was found. Never empty."""
    rest, bits = tokens, 0
    while found := _form_at(rest):
        place, size, form = found
        if len(rest) == size:
            break
        rest, bits = rest[:place] + rest[place + size :], bits | _FORM_BITS[form]
    return rest, bits


@lru_cache(maxsize=65536)
def _unglued(token: str) -> tuple[str, ...]:
    """A word, or the word and the legal form that were written without a space."""
    if is_form(token) or token in _ORDINARY:
        return (token,)
    for end in _GLUED_ENDS:
        if token.endswith(end) and len(token) >= len(end) + (2 if len(end) >= _LONG else 3):
            return token[: -len(end)], end
    for start in _GLUED_STARTS:
        if token.startswith(start) and len(token) >= len(start) + (2 if len(start) >= _LONG else 3):
            return start, token[len(start) :]
    return (token,)


def _whole(tokens: list[str]) -> list[str]:
    """Words of legal forms that were divided, in one piece: "corp oration"."""
    found = list[str]()
    for token in tokens:
        if found and found[-1] + token in _WORDS and not is_form(token):
            found[-1] += token
        else:
            found.append(token)
    return found


@lru_cache(maxsize=65536)
def _corrected(token: str) -> str:
    """The word of a legal form that a word is with a slip or in another spelling, or the word itself."""
    if len(token) < _FEWEST_LETTERS or is_form(token) or token in _ORDINARY:
        return token
    folded = fold(token)
    if folded in _HEARD:
        return _HEARD[folded]
    near = extractOne(token, _ALL_SPELLINGS, scorer=spelled_alike, score_cutoff=_MISSPELLED)
    if near is None and (heard := extractOne(folded, _HEARD.keys(), scorer=spelled_alike, score_cutoff=_MISSPELLED)):
        return _HEARD[heard[0]]
    return near[0] if near else token


@lru_cache(maxsize=65536)
def _short(token: str) -> str:
    """A first or last word that sounds like a short legal form, or has a slip but only consonants, as that form."""
    if is_form(token) or not 2 < len(token) <= _LONG:
        return token
    heard = _SHORT_HEARD.get(sound(fold(token)))
    if heard or not _VOWELS.isdisjoint(token):
        return heard or token
    return next((form for form in _CONSONANTS if spelled_far(token, form, score_cutoff=1) <= 1), token)


def _beside_form(tokens: Sequence[str], place: int) -> bool:
    return any(is_form(token) for token in (*tokens[max(0, place - 1) : place], *tokens[place + 1 : place + 2]))


@lru_cache(maxsize=65536)
def _form(tokens: tuple[str, ...]) -> str | None:
    return _FORMS.get(tokens) or (_FORMS_HEARD.get(_heard(tokens)) if len(tokens) > 1 else None)


def _form_at(tokens: list[str]) -> tuple[int, int, str] | None:
    for size in range(min(_LONGEST_FORM, len(tokens)), 0, -1):
        ends = (len(tokens) - size, 0)
        for place in ends if size < 3 else (*ends, *range(len(tokens) - size + 1)):
            form = _form(tuple(tokens[place : place + size]))
            if form:
                return place, size, form
    return None
