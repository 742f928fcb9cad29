"""Names as people, forms and languages spoil them: what the model is trained with. The bars are measured with another
generator (`variants.py`), which shares no code with this one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from rapidfuzz.distance.OSA import normalized_similarity

from compliance.names.spelling import fold

Spoiler = Callable[[list[str], random.Random], list[str] | None]


def _pairs(written: str) -> tuple[tuple[str, str], ...]:
    """ "a=b c=d" as pairs."""
    return tuple((old, new) for old, _, new in (pair.partition("=") for pair in written.split()))


_SOUNDS: tuple[tuple[str, str], ...] = _pairs(
    "i=y y=i kh=h h=kh ou=u u=ou oo=u u=o o=u e=i a=e e=a q=k k=q c=k k=c v=w w=v ks=x x=ks sh=ch ch=sh "
    "j=dj zh=j dzh=j s=ss ss=s m=mm mm=m l=ll ll=l iy=y ii=y ey=ei ph=f f=ff ov=off ee=i aa=a a=aa th=t "
    "dh=d gh=g z=s ts=tz ah=a a=ah b=p d=t t=d g=k j=zh y=j ya=ia yu=iu yev=ev ie=i"
)
_TITLES = (
    "Mr",
    "Mrs",
    "Dr",
    "Dr.",
    "Prof.",
    "Haji",
    "Sheikh",
    "General",
    "Sayyid",
    "Eng.",
    "Col.",
    "Ms.",
    "Mullah",
    "Sir",
)
_FORMS = (
    "Ltd",
    "LLC",
    "Inc.",
    "Corp",
    "Co., Ltd.",
    "GmbH",
    "S.A.",
    "JSC",
    "OOO",
    "Limited",
    "PLC",
    "S.R.L.",
    "Company",
)


def typo(words: list[str], dice: random.Random) -> list[str] | None:
    long = [place for place, word in enumerate(words) if len(word) > 2]
    if not long:
        return None
    place = dice.choice(long)
    word, at = words[place], dice.randrange(len(words[place]))
    letter = dice.choice("abcdefghijklmnopqrstuvwxyz")
    spoiled = dice.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
        ]
    )
    return [*words[:place], spoiled, *words[place + 1 :]]


def sounds(words: list[str], dice: random.Random) -> list[str] | None:
    text = " ".join(words).lower()
    fitting = [(old, new) for old, new in _SOUNDS if old in text]
    if not fitting:
        return None
    for old, new in dice.sample(fitting, min(len(fitting), dice.choice([1, 1, 2, 3]))):
        places = [match.start() for match in re.finditer(old, text)]
        if places:
            at = dice.choice(places)
            text = text[:at] + new + text[at + len(old) :]
    return text.split()


def order(words: list[str], dice: random.Random) -> list[str] | None:
    return dice.sample(words, len(words))


def initial(words: list[str], dice: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    keep = dice.randrange(len(words))
    many = dice.random() < 0.4
    chosen = set(range(len(words))) - {keep} if many else {dice.choice([i for i in range(len(words)) if i != keep])}
    return [word[0] + dice.choice(["", "."]) if place in chosen else word for place, word in enumerate(words)]


def drop(words: list[str], dice: random.Random) -> list[str] | None:
    if len(words) < 3:
        return None
    place = dice.randrange(len(words))
    return words[:place] + words[place + 1 :]


def merge(words: list[str], dice: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    place = dice.randrange(len(words) - 1)
    return [*words[:place], words[place] + words[place + 1].lower(), *words[place + 2 :]]


def joined(words: list[str], dice: random.Random) -> list[str] | None:
    del dice
    return ["".join(words)] if len(words) < 4 else None


def split(words: list[str], dice: random.Random) -> list[str] | None:
    long = [place for place, word in enumerate(words) if len(word) > 6]
    if not long:
        return None
    place = dice.choice(long)
    at = dice.randrange(3, len(words[place]) - 2)
    return [*words[:place], words[place][:at], words[place][at:], *words[place + 1 :]]


def title(words: list[str], dice: random.Random) -> list[str] | None:
    return [dice.choice(_TITLES), *words]


def form(words: list[str], dice: random.Random) -> list[str] | None:
    bare = [word for word in words if word.strip(".,").lower() not in _BARE] or words
    return dice.choice([bare, [*bare, dice.choice(_FORMS)], [dice.choice(_FORMS), *bare]])


_BARE = {
    "ltd",
    "llc",
    "inc",
    "corp",
    "co",
    "limited",
    "company",
    "corporation",
    "gmbh",
    "sa",
    "s.a",
    "jsc",
    "ooo",
    "oao",
    "zao",
    "pjsc",
    "plc",
    "srl",
}

_NEIGHBOURS = 200
"""Words among which the one that is spelled most alike is looked for."""

PERSON: tuple[Spoiler, ...] = (
    *(typo, typo, sounds, sounds, order, initial, initial, drop),
    *(merge, merge, joined, split, title),
)
ORGANIZATION: tuple[Spoiler, ...] = (
    *(typo, typo, typo, sounds, sounds, order, drop, drop),
    *(merge, merge, joined, split, form, form),
)


def spoil(name: str, kind: str, dice: random.Random) -> str | None:
    """One to three of these at once; None when the name is too short for what the dice say."""
    words: list[str] | None = name.replace(",", " ").split()
    for _ in range(dice.choice([1, 1, 1, 2, 2, 3])):
        words = dice.choice(PERSON if kind == "person" else ORGANIZATION)(words, dice) if words else None
    return " ".join(words) if words else None


def another(name: str, pool: list[str], dice: random.Random) -> str | None:
    """Another party's name that shares words with this one: a word is another's, or another's initial."""
    words = name.replace(",", " ").split()
    if len(words) < 2:
        return None
    place = dice.randrange(len(words))
    strangers = [dice.choice(dice.choice(pool).replace(",", " ").split()) for _ in range(dice.choice([1, 1, 60]))]
    start = words[place][:2].lower()
    stranger = next((each for each in strangers if each[:2].lower() == start and each != words[place]), strangers[0])
    ways = [stranger, stranger, stranger, stranger, stranger[0]]
    return " ".join([*words[:place], dice.choice(ways), *words[place + 1 :]])


def neighbour(name: str, pool: list[str], dice: random.Random) -> str | None:
    """Another party's name: one word is another word of the list that is spelled alike."""
    words = name.replace(",", " ").lower().split()
    places = [place for place, word in enumerate(words) if len(word) > 2]
    if len(words) < 2 or not places:
        return None
    place = dice.choice(places)
    others = {dice.choice(dice.choice(pool).replace(",", " ").lower().split()) for _ in range(_NEIGHBOURS)}
    others = {word for word in others if fold(word) != fold(words[place])}
    near = max(sorted(others), key=lambda word: normalized_similarity(word, words[place]))
    return " ".join([*words[:place], near, *words[place + 1 :]])


def numbered(name: str, dice: random.Random) -> tuple[str, str]:
    """Two names that differ in a number, or in that one has none."""
    words = [word for word in name.split() if not word.isdigit()]
    one, other = dice.sample(range(1, dice.choice([10, 10, 100, 10_000])), 2)
    return " ".join([*words, str(one)]), " ".join([*words, str(other)] if dice.random() < 0.5 else words)


def initialled(name: str, dice: random.Random) -> tuple[str, str]:
    """Two names that differ in an initial; or the second has a name that begins otherwise."""
    words = name.replace(",", " ").split()
    one, other = dice.sample("ABCDEFGHIJKLMNOPRSTVWYZ", 2)
    place = dice.randrange(1, len(words)) if len(words) > 1 else 1
    return " ".join([*words[:place], f"{one}.", *words[place:]]), " ".join([*words[:place], other, *words[place:]])
