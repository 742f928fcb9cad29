"""How a word in Latin letters sounds: one key for the ways in which romanisations spell it.

`fold` keeps the vowels and merges what one sound is written with ("ph" and "f", "ou" and "u"). `sound` is coarser: it
also merges what languages confuse (voiced and voiceless, o and u, e and i). `skeleton` is its consonants, which is all
that a script without vowels leaves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache


def _table(written: str) -> dict[str, str]:
    """ "a=b c=d" as a mapping."""
    return {old: new for old, _, new in (pair.partition("=") for pair in written.split())}


# Capital letters are sounds of two letters: C as in church, J as in judge, S as in ship.
_SPELLINGS: Mapping[str, str] = _table(
    "tsch=C tch=C tsh=C shch=S sch=S sh=S ch=C cz=C sz=S dzh=J dsch=J dj=J zh=J kh=h gh=g ph=f th=t dh=d "
    "ck=k qu=k q=k x=ks tz=ts w=v ou=u oo=u ee=i ie=i iy=i ij=i yi=i ii=i iya=ia eu=u eo=o ae=ai oe=o ue=u "
    "y=i yy=i ey=ei ay=ai ce=se ci=si cy=si c=k aj=ai ej=ei"
)
_STARTS: Mapping[str, str] = {"ye": "e", "hs": "S", "ts": "ts"}
_ENDS: Mapping[str, str] = {
    "off": "ov",
    "ovs": "ov",
    "evs": "ev",
    "ejs": "ei",
    "skis": "ski",
    "eff": "ev",
    "ah": "a",
    "eh": "e",
    "vic": "viC",
    "vicz": "viC",
    "vitz": "viC",
}
_SPELLED = re.compile("|".join(sorted(_SPELLINGS, key=lambda each: (-len(each), each))))
_TWICE = re.compile(r"(.)\1+")
_CONFUSED = str.maketrans("bdgjJzSvoe", "ptkCCssfui")
_VOWELS = str.maketrans("", "", "aiu")


@lru_cache(maxsize=262144)
def fold(word: str) -> str:
    """One spelling for a sound, vowels kept. Numbers stay as they are."""
    if word.isdigit():
        return word
    if word.startswith("x"):
        word = f"sh{word[1:]}"
    for start, written in _STARTS.items():
        if word.startswith(start) and len(word) > 3:
            word = written + word[len(start) :]
    for end, written in _ENDS.items():
        if word.endswith(end) and len(word) > len(end) + 1:
            word = word[: -len(end)] + written
            break
    found = _SPELLED.sub(lambda match: _SPELLINGS[match.group()], word)
    return _TWICE.sub(r"\1", found)


def sound(folded: str) -> str:
    """What is left when sounds are merged that languages confuse."""
    return folded if folded.isdigit() else _TWICE.sub(r"\1", folded.translate(_CONFUSED))


def skeleton(sounded: str) -> str:
    """The consonants; a vowel at the beginning is kept as "a", whichever it is."""
    if not sounded:
        return ""
    start = "a" if sounded[0] in "aiu" else ""
    rest = sounded.translate(_VOWELS)
    return start + (rest[:-1] if len(rest) > 2 and rest.endswith("h") else rest)
