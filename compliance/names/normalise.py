"""Names as they are compared: one spelling for what is written in many ways."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_NAME = 140
"""Characters (ISO 20022 Max140Text); the bound on what a comparison can cost."""

_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "mister", "khun"])
_LEGAL_FORMS = frozenset(
    [
        *("ltd", "limited", "llc", "inc", "incorporated", "co", "company", "corp", "corporation", "plc", "pte", "pty"),
        *("pcl", "gmbh", "sa", "ag", "nv", "bv", "srl", "spa", "sarl"),
        *("jsc", "ojsc", "cjsc", "pjsc", "oao", "zao", "ooo", "pao"),
    ]
)
# Letters that no decomposition takes apart, and signs that are read as words.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "%": " percent ", "&": " and "}
)
# Accents of Latin, Greek and Cyrillic, and Arabic vowel signs: written or not as the writer likes. The marks of other
# scripts (Thai, Devanagari) are letters there and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]")
_APOSTROPHES = re.compile("['`´‘’ʻʼʾʿ]")
_ABBREVIATION = re.compile(r"(?:(?<!\w)\w\.|(?<=\w{2})\w\.(?=\w\.))(?:\w\.)+(?:\w\b)?", re.UNICODE)
# Between letters and digits, two or more of each: "YU8653".
_DIGITS_NEXT = re.compile(r"(?<=[^\W\d]{2})(?=\d{2})|(?<=\d{2})(?=[^\W\d]{3})")
# Unicode's letters, marks and numbers make words; all else divides them.
_OF_WORDS = frozenset("LMN")
_INVISIBLE = frozenset(["Cf", "Cs", "Co", "Cn"])


@lru_cache(maxsize=65536)
def words(name: str, kind: str) -> tuple[str, ...]:
    """The words of a name that count, in order: case, accents, punctuation, invisible characters, titles (of persons)
    and legal forms (of organisations) taken away. Empty when nothing is left to compare."""
    found = tuple(_divided(_unabbreviated(plain(name))).split())
    dropped = _LEGAL_FORMS if kind == "organization" else _TITLES
    return tuple(word for word in found if word not in dropped) or found


def divided(name: str, kind: str) -> str:
    """A name's words in its own script, parted by single spaces, nothing dropped but case, accents and what is
    not seen. An organisation's "S.A." is one word, a person's "J.R." are two initials."""
    text = plain(name)
    if kind == "organization":
        text = _DIGITS_NEXT.sub(" ", _unabbreviated(text))
    return " ".join(_divided(text).split())


def abbreviations(name: str) -> frozenset[str]:
    """What is written with a full stop after each letter, as `divided` writes it."""
    return frozenset(match.group().replace(".", "") for match in _ABBREVIATION.finditer(plain(name)))


def plain(name: str) -> str:
    """One spelling for what differs in case, accents, apostrophes and invisible characters only."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    visible = "".join(each for each in folded if unicodedata.category(each) not in _INVISIBLE)
    return unicodedata.normalize("NFC", _APOSTROPHES.sub("", _ACCENTS.sub("", visible.translate(_LETTERS))))


def _unabbreviated(text: str) -> str:
    return _ABBREVIATION.sub(lambda match: f" {match.group().replace('.', '')} ", text)


def _divided(text: str) -> str:
    return "".join(each if unicodedata.category(each)[0] in _OF_WORDS else " " for each in text)
