"""A name taken apart: its words, each with what it sounds like and how much it says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compliance.names.forms import is_form, spelled_out, without_forms
from compliance.names.normalise import abbreviations, divided
from compliance.names.scripts import HAN, HANGUL, KANA, LATIN, readings, script_of
from compliance.names.spelling import fold, skeleton, sound

MAX_LETTERS = 400
"""Of a listed name or an asked one; what is longer is compared by its beginning."""

MAX_WORDS, MAX_WORD = 16, 32

NAME, INITIAL, MINOR, NUMBER = range(4)
"""What a word is. MINOR are titles, particles and common words: whether they are written says little."""

WEIGHT, MINOR_WEIGHT, INITIAL_WEIGHT, NUMBER_WEIGHT = 110, 4, 25, 40
"""How much a word says, at most, and where it says little."""

_SHORT_WEIGHTS = {1: 30, 2: 60, 3: 90}
"""Of an organisation's words with few letters."""

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
    known: bool
    """Whether it is a word that many names have: what differs from another such word is hardly a slip."""


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

    key: tuple[str, ...]
    """The words that say something in any order; equal for names of the same words."""
    letters: str
    """The words that say something without spaces."""
    sorted_letters: str
    """The same, the words sorted."""
    anagram: str
    """The same, the letters sorted."""
    numbers: frozenset[str]
    names: int
    """How many words are names."""
    weight: int
    """Of all words together, at least 1."""
    abbreviations: frozenset[str]
    """Words of an organisation that are written with a full stop after each letter."""
    added: bool
    """Whether an organisation's name has something in brackets, or after a stroke."""
    whole: bool
    """Whether that was read too: many are called without it."""


_ADDED = re.compile(r"[(（][^()（）]*[)）]|\s/\s.*|(?<=\w\w\w)[/／](?=\w\w\w).*", re.DOTALL)
"""In brackets, or after a stroke between two names: that of "M/S" and "J/V" is none."""

_FEW_LETTERS = 6
_COMMON = frozenset(_VOCABULARY["organization"]["common"]) | {"and"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_NUMBERS: Mapping[str, str] = _VOCABULARY["organization"]["numbers"]
_TITLES = {tuple(title.split()) for title in _VOCABULARY["person"]["titles"]}
_LONGEST_TITLE = max(map(len, _TITLES))
_PARTICLES = frozenset(_VOCABULARY["person"]["particles"]) | frozenset(_VOCABULARY["person"]["suffixes"])
_VOWELS = frozenset("aeiouy")
_NO_INITIALS = _PARTICLES | {"ng"} | {title for words in _TITLES for title in words}
_ARTICLES = ("abdul", "abdel", "abdal", "abdol")


def _groups(written: Iterable[str]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, group in enumerate(written):
        for name in group.split():
            found[name] = found.get(name, frozenset()) | {number}
    return found


_CALLED = _groups([*_VOCABULARY["names"]["alike"], *_VOCABULARY["names"]["alone"].split()])
_MEANT = _groups(f"{meaning} {words}" for meaning, words in _VOCABULARY["organization"]["same"].items())
_MEANT_HEARD = {fold(word): groups for word, groups in _MEANT.items() if len(word) >= _FEW_LETTERS}
"""The same for longer words by their sound: "priborostroitelnyi" is "priborostroitelny"."""

_NOT_CALLED: frozenset[int] = frozenset()


class Writing:
    """Takes names apart; `rarity` says per kind and fold how much a word says (1 to 110). Words are kept once."""

    def __init__(self, rarity: Mapping[str, Mapping[str, int]]) -> None:
        self._rarity = rarity
        self._words: dict[tuple[str, str, int], Word] = {}
        self._room = True

    def read(self, name: str, kind: str) -> tuple[Reading, ...]:
        """The ways to read a name; none when it has no letters or digits."""
        name = name[:MAX_LETTERS]
        found = self._readings(name, kind)
        if kind == "person":
            return found
        if "." in name and (short := abbreviations(name)):
            found = tuple(replace(reading, abbreviations=short.intersection(reading.key)) for reading in found)
        shorter = _ADDED.sub(" ", name)
        if shorter == name:
            return found
        found = tuple(replace(reading, added=True) for reading in found)
        if sum(map(str.isalpha, shorter)) >= _FEW_LETTERS:
            found += tuple(replace(reading, added=True, whole=False) for reading in self._readings(shorter, kind))
        return found

    def _readings(self, name: str, kind: str) -> tuple[Reading, ...]:
        text = divided(name, kind)
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
            rest, forms = without_forms(spelled_out(tokens))
            return _read(self._organization(_numbered(rest)[:MAX_WORDS]), script, forms, native, tokens)
        parted = _parted(tokens, initials=script == LATIN)
        return _read(self._person(parted[:MAX_WORDS]), script, 0, native, tokens)

    def _person(self, tokens: list[str]) -> tuple[Word, ...]:
        minor = _titles(tokens)
        minor |= {place for place, token in enumerate(tokens) if token in _PARTICLES}
        if len(minor) == len(tokens):
            minor = set()
        return tuple(
            self._word(token, "person", MINOR if place in minor else _role(token)) for place, token in enumerate(tokens)
        )

    def _organization(self, tokens: Sequence[str]) -> tuple[Word, ...]:
        tokens = [token for token in tokens if not is_form(token)] or tokens
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
        rarity = self._rarity[kind].get(folded)
        weight = (
            _FIXED_WEIGHTS.get(role)
            or rarity
            or (WEIGHT if kind == "person" else _SHORT_WEIGHTS.get(len(text), WEIGHT))
        )
        called = _CALLED.get(text) if kind == "person" else _MEANT.get(text) or _MEANT_HEARD.get(folded)
        called = called or _NOT_CALLED
        known = bool(rarity or called)
        letters, plain = _bits(sounded), role in (NAME, MINOR) and len(text) > 1
        return Word(
            text, folded, sounded, skeleton(sounded), role, weight, called, letters, letters.bit_count(), plain, known
        )


def _read(words: tuple[Word, ...], script: int, forms: int, native: str, tokens: list[str]) -> Reading:
    telling = [word for word in words if word.role != MINOR]
    sounds = [word.sound for word in telling]
    orders = (sounds, sounds[1:] + sounds[:1], sounds[-1:] + sounds[:-1])
    key = tuple(sorted(word.text for word in telling))
    return Reading(
        words=words,
        script=script,
        forms=forms,
        native=native,
        told=tuple(sorted(tokens)),
        sounds=tuple(dict.fromkeys("".join(order) for order in orders)),
        key=key,
        letters="".join(word.text for word in telling),
        sorted_letters="".join(key),
        anagram="".join(sorted("".join(key))),
        numbers=_NO_NUMBERS | {word.text for word in words if word.role == NUMBER},
        names=sum(word.role == NAME for word in words),
        weight=max(1, sum(word.weight for word in words)),
        abbreviations=frozenset(),
        added=False,
        whole=True,
    )


_NO_NUMBERS: frozenset[str] = frozenset()


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


def _parted(tokens: list[str], initials: bool) -> list[str]:
    """Servants of God are two words, however they are written, "Abdulrahman" as "Abdul Rahman"; so are two initials,
    which `initials` tells from words of a script that leaves vowels out."""
    return [part for token in tokens for part in _parts(token, initials)]


def _parts(token: str, initials: bool) -> tuple[str, ...]:
    if _has_article(token):
        return "abdul", token[5:]
    if initials and len(token) == 2 and _VOWELS.isdisjoint(token) and token not in _NO_INITIALS and token.isalpha():
        return token[0], token[1]
    return (token,)


def _numbered(words: list[str]) -> list[str]:
    """Numbers as digits: "forty four" is 44, and a last "II" is 2."""
    found = list[str]()
    for place, word in enumerate(words):
        number = _NUMBERS.get(word) or (_ROMAN.get(word) if place else None)
        if word == "i" and place + 1 < len(words):  # the Russian "and"
            number = None
        if word.isdigit():
            number = word.lstrip("0") or "0"
        if number and len(number) == 1 and found and len(found[-1]) == 2 and found[-1] in _TENS:
            found[-1] = str(int(found[-1]) + int(number))
        else:
            found.append(number or word)
    return found


_TENS = frozenset(str(ten) for ten in range(20, 100, 10))
