"""Names as they come in real queries, by kind of difference: what the bars are measured with. Made from entries that
training has not seen, and by other rules than `spoil.py`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache

from tests.names import sources

Variant = Callable[[list[str], random.Random], list[str] | None]


def _pairs(written: str) -> tuple[tuple[str, str], ...]:
    """ "a=b c=d" as pairs."""
    return tuple((old, new) for old, _, new in (pair.partition("=") for pair in written.split()))


def _table(written: str) -> dict[str, str]:
    """ "a=b c=d" as a mapping."""
    return dict(_pairs(written))


_NEAR_KEYS: Mapping[str, str] = _table(
    "a=qsz b=vgn c=xvd d=sfe e=wrd f=dgr g=fht h=gjy i=uok j=hku k=jli l=kop m=nk n=bmh o=ipl p=ol q=wa "
    "r=etf s=adw t=ryg u=yij v=cbf w=qes x=zcs y=tuh z=xa"
)
_HEARD: tuple[tuple[str, str], ...] = _pairs(
    "iy=y yi=i ei=ey oo=ou ou=oo kh=h q=k w=v v=w ee=i ya=ia ia=ya x=ks ph=f ck=k sh=sch y=i u=ou mm=m "
    "ss=s ll=l ah=a aa=a zh=j j=dj th=t dh=d e=i o=u ch=tch ts=tz k=c i=ee a=e"
)
_PREFIXES = ("Mr.", "Mrs", "Dr", "Prof", "Sheikh", "Hajji", "Gen.", "Colonel", "Sir", "Eng")
_SAME_FORMS = (
    ("LTD", "LIMITED"), ("LIMITED", "LTD."), ("LLC", "L.L.C."), ("INC", "INCORPORATED"), ("CORP", "CORPORATION"),
    ("CORPORATION", "CORP."), ("COMPANY", "CO."), ("CO", "COMPANY"), ("JOINT STOCK COMPANY", "JSC"), ("JSC", "AO"),
    ("LIMITED LIABILITY COMPANY", "LLC"), ("GMBH", "G.m.b.H."), ("S.A.", "SA"), ("OOO", "LLC"), ("OAO", "OJSC"),
)  # fmt: skip


def order(words: list[str], dice: random.Random) -> list[str] | None:
    at = dice.randrange(1, len(words)) if len(words) > 1 else 0
    return words[at:] + words[:at] if at else None


def initials(words: list[str], dice: random.Random) -> list[str] | None:
    """One given name by its first letter. The longest word stays."""
    longest = max(range(len(words)), key=lambda place: len(words[place]))
    others = [place for place in range(len(words)) if place != longest and len(words[place]) > 1]
    if not others:
        return None
    place = dice.choice(others)
    return [*words[:place], words[place][0] + ".", *words[place + 1 :]]


def typos(words: list[str], dice: random.Random) -> list[str] | None:
    fitting = [place for place, word in enumerate(words) if len(word) >= 4]
    if not fitting:
        return None
    place = dice.choice(fitting)
    word = words[place]
    at = dice.randrange(len(word))
    letter = dice.choice(_NEAR_KEYS.get(word[at].lower(), "e"))
    ways = [word[:at] + letter + word[at + 1 :], word[: at + 1] + word[at:], word[:at] + word[at + 1 :]]
    if at + 1 < len(word):
        ways.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    return [*words[:place], dice.choice(ways), *words[place + 1 :]]


def dropped(words: list[str], dice: random.Random) -> list[str] | None:
    """A word left out, not the rarest of the list's: what is left must still tell somebody."""
    if len(words) < 3:
        return None
    rarest = min(range(len(words)), key=lambda place: (_seen()[words[place].strip(".").upper()], place))
    place = dice.choice([place for place in range(len(words)) if place != rarest])
    return words[:place] + words[place + 1 :]


@cache
def _seen() -> Counter[str]:
    """How many names of the list have a word."""
    names = (name for entry in sources.ofac_2026() for name in (entry.name, *entry.aliases))
    return Counter(word.strip(".").upper() for name in names for word in set(name.replace(",", " ").split()))


def merged(words: list[str], dice: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    place = dice.randrange(len(words) - 1)
    return [*words[:place], words[place] + words[place + 1], *words[place + 2 :]]


def transliteration(words: list[str], dice: random.Random) -> list[str] | None:
    text = " ".join(words).lower()
    fitting = [pair for pair in _HEARD if pair[0] in text]
    for old, new in dice.sample(fitting, min(2, len(fitting))):
        text = text.replace(old, new, 1)
    return text.split() if fitting else None


def titles(words: list[str], dice: random.Random) -> list[str] | None:
    return [dice.choice(_PREFIXES), *words]


def legal_forms(words: list[str], dice: random.Random) -> list[str] | None:
    """Another way to write the form, or the form left out."""
    text = f" {' '.join(words)} ".upper().replace(",", "")
    fitting = [(old, new) for old, new in _SAME_FORMS if f" {old} " in text]
    if not fitting:
        return None
    old, new = dice.choice(fitting)
    return text.replace(f" {old} ", f" {dice.choice([new, ''])} ").split() or None


PERSON: Mapping[str, Variant] = {
    "order": order,
    "initials": initials,
    "typos": typos,
    "dropped": dropped,
    "merged": merged,
    "transliteration": transliteration,
    "titles": titles,
}
ORGANIZATION: Mapping[str, Variant] = {
    "order": order,
    "typos": typos,
    "dropped": dropped,
    "merged": merged,
    "transliteration": transliteration,
    "legal forms": legal_forms,
}


def varied(name: str, variant: Variant, dice: random.Random) -> str | None:
    """None when this kind of difference cannot be made of the name."""
    found = variant(name.replace(",", " ").split(), dice)
    return " ".join(found) if found else None
