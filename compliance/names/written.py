"""A name taken apart: its words, each with what it sounds like and how much it says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance.OSA import normalized_similarity as spelled_alike
from rapidfuzz.process import extractOne

from compliance.names.normalise import divided
from compliance.names.scripts import HAN, HANGUL, KANA, readings, script_of
from compliance.names.spelling import fold, skeleton, sound

MAX_LETTERS = 400
"""Of a listed name or an asked one; what is longer is compared by its beginning."""

MAX_WORDS, MAX_WORD = 16, 32

NAME, INITIAL, MINOR, NUMBER = range(4)
"""What a word is. MINOR are titles, particles and common words: whether they are written says little."""

WEIGHT, MINOR_WEIGHT, INITIAL_WEIGHT, NUMBER_WEIGHT = 110, 4, 25, 40
"""How much a word says, at most, and where it says little."""

_FIXED_WEIGHTS = {MINOR: MINOR_WEIGHT, INITIAL: INITIAL_WEIGHT, NUMBER: NUMBER_WEIGHT}
_VOCABULARY = tomllib.loads((Path(__file__).parent / "vocabulary.toml").read_text("utf-8"))


@dataclass(frozen=True, eq=False, slots=True)
class Word:
    """`text` in small Latin letters; its keys of `spelling.py`; `role` one of the above; `weight` 1 to 110."""

    text: str
    fold: str
    sound: str
    skeleton: str
    role: int
    weight: int
    called: frozenset[int]
    """The groups of words that stand for each other (given names, or an organisation's words) to which it belongs."""
    letters: int
    """A bit for each letter of its sound: words that share few need no comparison."""
    kinds: int
    """How many bits."""
    plain: bool
    """Neither an initial nor a number."""


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """One way to read a name. `forms` has a bit for each legal form, `native` its letters where Latin loses much."""

    words: tuple[Word, ...]
    script: int
    forms: int
    native: str
    told: tuple[str, ...]
    """All words as they were written, legal forms too, sorted."""
    sounds: tuple[str, ...]
    """All words' sounds in a row; then with the first, and with the last word at the other end."""

    @property
    def key(self) -> tuple[str, ...]:
        """The words in any order; equal for names of the same words."""
        return tuple(sorted(word.text for word in self.words if word.role != MINOR))

    @property
    def letters(self) -> str:
        """The words that say something without spaces."""
        return "".join(word.text for word in self.words if word.role != MINOR)


def _phrases(written: Mapping[str, Sequence[str]]) -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): meaning for meaning, phrases in written.items() for phrase in phrases}


_FORMS = _phrases(_VOCABULARY["organization"]["forms"])
_FORM_BITS = {form: 1 << place for place, form in enumerate(_VOCABULARY["organization"]["forms"])}
_LONGEST_FORM = max(map(len, _FORMS))
_COMMON = frozenset(_VOCABULARY["organization"]["common"]) | {"and"}
_FORM_WORDS = sorted({fold(word) for phrase in _FORMS for word in phrase if len(word) > 4})
_FORMS_ANYWHERE = frozenset(_VOCABULARY["organization"]["anywhere"]["forms"])
_GLUED_ENDS = ("limited", "company", "corporation", "gmbh", "llc", "ltd", "jointstock", "joint", "sirketi")
_GLUED_STARTS = (
    "aktsionernoe",
    "obshchestvo",
    "limitedliability",
    "limited",
    "company",
    "jsc",
    "pjsc",
    "ojsc",
    "ooo",
    "oao",
    "zao",
    "llc",
)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_NUMBERS: Mapping[str, str] = _VOCABULARY["organization"]["numbers"]
_TITLES = {tuple(title.split()) for title in _VOCABULARY["person"]["titles"]}
_LONGEST_TITLE = max(map(len, _TITLES))
_PARTICLES = frozenset(_VOCABULARY["person"]["particles"]) | frozenset(_VOCABULARY["person"]["suffixes"])
_ARTICLES = ("abdul", "abdel", "abdal", "abdol")


def _groups(written: Iterable[str]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, group in enumerate(written):
        for name in group.split():
            found[name] = found.get(name, frozenset()) | {number}
    return found


_CALLED = _groups(_VOCABULARY["names"]["alike"])
_MEANT = _groups(f"{meaning} {words}" for meaning, words in _VOCABULARY["organization"]["same"].items())
_NOT_CALLED: frozenset[int] = frozenset()


class Writing:
    """Takes names apart; `rarity` says per kind and fold how much a word says (1 to 110). Words are kept once."""

    def __init__(self, rarity: Mapping[str, Mapping[str, int]]) -> None:
        self._rarity = rarity
        self._words: dict[tuple[str, str, int], Word] = {}
        self._room = True

    def read(self, name: str, kind: str) -> tuple[Reading, ...]:
        """The ways to read a name; none when it has no letters or digits."""
        text = divided(name[:MAX_LETTERS], kind)
        if not text:
            return ()
        script = script_of(text)
        native = text.replace(" ", "") if script in (HAN, HANGUL, KANA) else ""
        found = (self._reading(words, kind, script, native) for words in readings(text))
        return tuple(reading for reading in found if reading.words)

    def close(self) -> None:
        """From now on new words are not kept: all listed names were read, and what is asked has no bound."""
        self._room = False

    def _reading(self, text: str, kind: str, script: int, native: str) -> Reading:
        tokens = [token[:MAX_WORD] for token in text.split()]
        if kind == "organization":
            rest, forms = _without_forms(_numbered(_unglued(tokens)))
            return _read(self._organization(rest[:MAX_WORDS]), script, forms, native, tokens)
        return _read(self._person(_parted(tokens)[:MAX_WORDS]), script, 0, native, tokens)

    def _person(self, tokens: list[str]) -> tuple[Word, ...]:
        minor = _titles(tokens)
        minor |= {place for place, token in enumerate(tokens) if token in _PARTICLES}
        if len(minor) == len(tokens):
            minor = set()
        return tuple(
            self._word(token, "person", MINOR if place in minor else _role(token)) for place, token in enumerate(tokens)
        )

    def _organization(self, tokens: Sequence[str]) -> tuple[Word, ...]:
        tokens = [token for token in tokens if not _is_form(token)] or tokens
        common = [token in _COMMON for token in tokens]
        if all(common):
            common = [False] * len(tokens)
        return tuple(
            self._word(token, "organization", NUMBER if token.isdigit() else MINOR if minor else NAME)
            for token, minor in zip(tokens, common, strict=True)
        )

    def _word(self, text: str, kind: str, role: int) -> Word:
        known = self._words.get((text, kind, role))
        if known is None:
            known = self._make(text, kind, role)
            if self._room:
                self._words[text, kind, role] = known
        return known

    def _make(self, text: str, kind: str, role: int) -> Word:
        folded = fold(text)
        sounded = sound(folded)
        weight = _FIXED_WEIGHTS.get(role) or self._rarity[kind].get(folded, WEIGHT)
        called = (_CALLED if kind == "person" else _MEANT).get(text, _NOT_CALLED)
        letters, plain = _bits(sounded), role in (NAME, MINOR) and len(text) > 1
        return Word(text, folded, sounded, skeleton(sounded), role, weight, called, letters, letters.bit_count(), plain)


def _read(words: tuple[Word, ...], script: int, forms: int, native: str, tokens: list[str]) -> Reading:
    telling = [word.sound for word in words if word.role != MINOR]
    orders = (telling, telling[1:] + telling[:1], telling[-1:] + telling[:-1])
    told = tuple(sorted(tokens))
    return Reading(words, script, forms, native, told, tuple(dict.fromkeys("".join(order) for order in orders)))


def _bits(sounded: str) -> int:
    bits = 0
    for letter in sounded:
        bits |= 1 << (ord(letter) & 63)
    return bits


def _role(token: str) -> int:
    if token.isdigit():
        return NUMBER
    return INITIAL if len(token) == 1 else NAME


def _titles(tokens: list[str]) -> set[int]:
    """Where titles stand."""
    found: set[int] = set()
    for size in range(_LONGEST_TITLE, 0, -1):
        for place in range(len(tokens) - size + 1):
            if tuple(tokens[place : place + size]) in _TITLES:
                found |= set(range(place, place + size))
    return found


def _has_article(token: str) -> bool:
    """Whether "servant of" and a name of God were written as one word."""
    if token[:5] in _ARTICLES:
        return len(token) >= 8
    return token[:4] == "abdu" and len(token) >= 9 and token[4] == token[5]


def _parted(tokens: list[str]) -> list[str]:
    """Servants of God are two words, however they are written: "Abdulrahman" as "Abdul Rahman"."""
    return [part for token in tokens for part in (("abdul", token[5:]) if _has_article(token) else (token,))]


@lru_cache(maxsize=65536)
def _is_form(token: str) -> bool:
    """Whether a word belongs to a legal form, which may stand in the middle or be misspelled."""
    if token in _FORMS_ANYWHERE:
        return True
    return len(token) > 4 and extractOne(fold(token), _FORM_WORDS, scorer=spelled_alike, score_cutoff=0.8) is not None


def _unglued(tokens: list[str]) -> list[str]:
    """Legal forms that were written without a space."""
    found = list[str]()
    for token in tokens:
        end = next((end for end in _GLUED_ENDS if token.endswith(end) and len(token) >= len(end) + 3), "")
        start = next((start for start in _GLUED_STARTS if token.startswith(start) and len(token) >= len(start) + 4), "")
        if end:
            found += [token[: -len(end)], end]
        elif start:
            found += [start, token[len(start) :]]
        else:
            found.append(token)
    return found


def _numbered(tokens: list[str]) -> list[str]:
    """Numbers as digits: "forty four" is 44, and a last "II" is 2."""
    found = list[str]()
    for place, token in enumerate(tokens):
        number = _NUMBERS.get(token) or (_ROMAN.get(token) if place else None)
        if token.isdigit():
            number = token.lstrip("0") or "0"
        if number and len(number) == 1 and found and len(found[-1]) == 2 and found[-1] in _TENS:
            found[-1] = str(int(found[-1]) + int(number))
        else:
            found.append(number or token)
    return found


_TENS = frozenset(str(ten) for ten in range(20, 100, 10))


@lru_cache(maxsize=4096)
def _form(tokens: tuple[str, ...]) -> str | None:
    return _FORMS.get(tokens)


def _without_forms(tokens: list[str]) -> tuple[list[str], int]:
    """The words without legal forms at the ends, and long ones anywhere; bits of what was found. Never empty."""
    rest, bits = tokens, 0
    while found := _form_at(rest):
        place, size, form = found
        if len(rest) == size:
            break
        rest, bits = rest[:place] + rest[place + size :], bits | _FORM_BITS[form]
    return rest, bits


def _form_at(tokens: list[str]) -> tuple[int, int, str] | None:
    for size in range(min(_LONGEST_FORM, len(tokens)), 0, -1):
        ends = (len(tokens) - size, 0)
        for place in ends if size < 3 else (*ends, *range(len(tokens) - size + 1)):
            form = _form(tuple(tokens[place : place + size]))
            if form:
                return place, size, form
    return None
