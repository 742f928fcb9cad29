"""Names of any script in small Latin letters: the ways in which a name may be read.

Most scripts have one reading. Hangul, Han and Arabic letters have several, because the languages that use them, and the
romanisations of one language, differ. No table here holds names of parties.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from anyascii import anyascii

LATIN, CYRILLIC, ARABIC, HAN, HANGUL, KANA, OTHER = range(7)
"""Scripts, as the model knows them. OTHER are the rest: Greek, Hebrew, Thai, Devanagari..."""

_RANGES = (
    (0x0400, 0x052F, CYRILLIC),
    (0x0600, 0x06FF, ARABIC),
    (0x0750, 0x077F, ARABIC),
    (0x08A0, 0x08FF, ARABIC),
    (0xFB50, 0xFDFF, ARABIC),
    (0xFE70, 0xFEFC, ARABIC),
    (0x1100, 0x11FF, HANGUL),
    (0xAC00, 0xD7A3, HANGUL),
    (0x3040, 0x30FF, KANA),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xF900, 0xFAFF, HAN),
    (0x20000, 0x323AF, HAN),
)
_TABLES = tomllib.loads((Path(__file__).parent / "scripts.toml").read_text("utf-8"))
_ARABIC_LETTERS: Mapping[int, str] = str.maketrans(_TABLES["arabic"])
_ARABIC_STARTS = {"و": "w", "ی": "y", "ي": "y", "ع": "a"}
_ARABIC_WORDS = {"الله": "allah", "عبدالله": "abdallah"}
_HANJA: Mapping[str, str] = {
    each: sound.rstrip("_") for sound, letters in _TABLES["korean"].items() for each in letters
}
_FAMILY_PINYIN: Mapping[str, str] = _TABLES["pinyin"]["family"]
_PINYIN: Mapping[str, str] = _TABLES["pinyin"]["single"]
_JAPANESE: Mapping[str, str] = _TABLES["japanese"]
_LONGEST_CHINESE = 4
_TWO_FAMILY = frozenset(_TABLES["pinyin"]["two"])

_LEADS: list[str] = _TABLES["hangul"]["leads"].split()
_VOWELS: list[str] = _TABLES["hangul"]["vowels"].split()
_TAILS: list[str] = _TABLES["hangul"]["tails"].split()
_KOREAN_FAMILY: Mapping[str, str] = _TABLES["hangul"]["family"]
_KOREAN_TWO_FAMILY = frozenset(_TABLES["hangul"]["two"])
_LOOKALIKES = str.maketrans({pair[0]: pair[1] for pair in _TABLES["lookalikes"]["letters"].split()})
_SPACES = re.compile(r"\s+")


def script_of(text: str) -> int:
    """The script of most of its letters."""
    counts = [0] * 7
    for each in text:
        if each.isalpha():
            counts[_script(ord(each))] += 1
    if counts[KANA] and counts[HAN]:
        return KANA
    return max(range(7), key=lambda script: (counts[script], -script))


def readings(text: str) -> tuple[str, ...]:
    """Words of a folded name (see `normalise.divided`), in Latin letters and parted by spaces; at most three ways."""
    if text.isascii():
        return (text,)
    text = " ".join(_undisguised(word) for word in text.split())
    script = script_of(text)
    if script == ARABIC:
        return (_arabic(text),)
    if script == HANGUL:
        return (_korean(text),)
    if script == HAN:
        if _foreign(text):
            return tuple(dict.fromkeys((_chinese(text), _chinese(text).replace("l", "r"))))
        return tuple(dict.fromkeys((_chinese(text), _hanja(text), _japanese(text))))
    if script == KANA:
        return tuple(dict.fromkeys((_japanese(text), _chinese(text))))
    return (_plain(text),)


def _undisguised(word: str) -> str:
    """A word of Latin letters and of some that only look like them, in Latin letters."""
    if word.isascii() or not any("a" <= each <= "z" for each in word):
        return word
    return word.translate(_LOOKALIKES)


def _script(code: int) -> int:
    if code < 0x0250:
        return LATIN
    for first, last, script in _RANGES:
        if first <= code <= last:
            return script
    return LATIN if 0x1E00 <= code <= 0x1EFF or 0xFF21 <= code <= 0xFF5A else OTHER


def _plain(text: str) -> str:
    return _SPACES.sub(" ", "".join(_letter(each) for each in text)).strip()


@lru_cache(maxsize=4096)
def _letter(each: str) -> str:
    if each.isascii():
        return each
    written = anyascii(each).lower()
    return "".join(letter if letter.isalnum() else "" for letter in written)


def _joined(words: Iterable[str]) -> str:
    return " ".join(word for word in words if word)


def _arabic(text: str) -> str:
    """Consonants and long vowels; short vowels are not written, so only skeletons of words compare well."""
    return _joined(_arabic_word(word) for word in text.replace("عبد الله", "عبدالله").split())


def _arabic_word(word: str) -> str:
    if word in _ARABIC_WORDS:
        return _ARABIC_WORDS[word]
    if word.startswith("عبدال") and len(word) > 6:
        return f"abd {_arabic_word(word[5:])}"
    if word.startswith("ال") and len(word) > 3:
        return f"al {_arabic_word(word[2:])}"
    first = _ARABIC_STARTS.get(word[0], "")
    return _plain(first + (word[1:] if first else word).translate(_ARABIC_LETTERS))


def _korean(text: str) -> str:
    """Syllables as words, the family name first, as it is written: "Kim Jong Un" is three words in either script. Names
    of foreigners, which are longer, keep their words."""
    words = text.split()
    if len(words) > 1 and min(len(word) for word in words) > 1:
        return _joined("".join(map(_syllable, word)) for word in words)
    name = "".join(words)
    if not 2 <= len(name) <= 5:
        return _joined("".join(map(_syllable, word)) for word in words)
    family = 2 if name[:2] in _KOREAN_TWO_FAMILY else 1
    first = _KOREAN_FAMILY.get(name[:family], "".join(map(_syllable, name[:family])))
    return _joined([first, *map(_syllable, name[family:])])


def _syllable(each: str) -> str:
    place = ord(each) - 0xAC00
    if not 0 <= place <= 11171:
        return _letter(each)
    return (_LEADS[place // 588] + _VOWELS[place % 588 // 28] + _TAILS[place % 28]).replace("-", "")


def _chinese(text: str) -> str:
    """Pinyin: the family name, then the given name as one word. Longer names, those of foreigners, keep their words."""
    words = text.split()
    if len(words) == 2 and min(map(len, words)) == 1:  # either part may stand first
        return _joined("".join(map(_pinyin, word)) if len(word) > 1 else _family(word) for word in words)
    if len(words) > 1 or len(text) > _LONGEST_CHINESE:
        return _joined("".join(map(_pinyin, word)) for word in words)
    family = 2 if text[:2] in _TWO_FAMILY else 1
    return _joined([_family(text[:family]), "".join(map(_pinyin, text[family:]))])


def _foreign(text: str) -> bool:
    """Whether Chinese characters stand for the sounds of another language, of which "l" is "r" as often."""
    words = text.split()
    return len(words) > 1 and min(map(len, words)) > 1 and sum(map(len, words)) > _LONGEST_CHINESE


def _family(letters: str) -> str:
    return _FAMILY_PINYIN.get(letters) or "".join(map(_pinyin, letters))


def _pinyin(each: str) -> str:
    return _PINYIN.get(each) or _letter(each)


def _hanja(text: str) -> str:
    """The Korean sounds, where all characters have one that we know; else pinyin."""
    letters = text.replace(" ", "")
    if not all(each in _HANJA for each in letters):
        return _chinese(text)
    return _joined(_HANJA[each] for each in letters)


def _japanese(text: str) -> str:
    """Family names and given names that are read in one way mostly; what is not known is left to anyascii."""
    return _joined(" ".join(_japanese_parts(word)) for word in text.split())


def _japanese_parts(word: str) -> list[str]:
    if not any(_script(ord(each)) == HAN for each in word):
        return [_plain(word)]
    parts, place = list[str](), 0
    while place < len(word):
        known = (word[place : place + size] for size in (3, 2, 1))
        part = next((each for each in known if each in _JAPANESE), word[place])
        parts.append(_JAPANESE.get(part) or _letter(part))
        place += len(part)
    return parts
