"""Names as clerks, customers and machines write them, by kind of difference: a second measure beside `variants.py`,
written without its tables or `spoil.py`'s, so that neither of them is what the matcher learnt by heart."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

Variant = Callable[[list[str], random.Random], list[str] | None]

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_VOWELS = "aeiouy"
_SPELT: Sequence[tuple[str, str]] = (
    *(("ph", "f"), ("f", "ph"), ("y", "i"), ("i", "y"), ("kh", "h"), ("kh", "k"), ("w", "v"), ("v", "w"), ("c", "k")),
    *(("k", "c"), ("sh", "s"), ("q", "k"), ("gh", "g"), ("dh", "d"), ("th", "t"), ("zh", "z"), ("ya", "ia")),
    *(("yu", "iu"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("ei", "ey"), ("iy", "y"), ("ii", "iy"), ("ck", "k")),
    *(("x", "ks"), ("ks", "x"), ("ts", "tz"), ("tch", "ch"), ("j", "dj"), ("dj", "j"), ("u", "oo"), ("e", "a")),
    *(("o", "u"), ("h", ""), ("z", "s"), ("yev", "ev"), ("ai", "ay"), ("ow", "ov"), ("qu", "k")),
)
_FORMS: Sequence[Sequence[str]] = (
    ("LIMITED LIABILITY COMPANY", "LLC", "L.L.C.", "OOO", "ООО", "OBSHCHESTVO S OGRANICHENNOI OTVETSTVENNOSTYU"),
    ("JOINT STOCK COMPANY", "JSC", "AO", "АО", "J.S.C.", "AKTSIONERNOE OBSHCHESTVO"),
    ("PUBLIC JOINT STOCK COMPANY", "PJSC", "PAO", "ПАО"),
    ("OPEN JOINT STOCK COMPANY", "OJSC", "OAO", "ОАО"),
    ("CLOSED JOINT STOCK COMPANY", "CJSC", "ZAO", "ЗАО"),
    ("COMPANY LIMITED", "CO., LTD.", "CO LTD", "CO. LIMITED", "COMPANY LTD", "LTD"),
    ("LIMITED", "LTD", "LTD.", "Ltd"),
    ("LTD", "LIMITED", "LTD."),
    ("GMBH", "GESELLSCHAFT MIT BESCHRANKTER HAFTUNG", "G.M.B.H.", "LLC"),
    ("S.A.", "SA", "SOCIEDAD ANONIMA", "SOCIETE ANONYME", "INC."),
    ("SARL", "S.A.R.L.", "LLC"),
    ("SDN BHD", "SENDIRIAN BERHAD", "SDN. BHD."),
    ("PTE LTD", "PTE. LTD.", "PRIVATE LIMITED"),
    ("CORPORATION", "CORP.", "CORP"),
    ("CORP", "CORPORATION", "CORP."),
    ("INC", "INCORPORATED", "INC."),
    ("COMPANY", "CO.", "CO", "CIE"),
    ("CO", "COMPANY", "CO."),
)
_SHORT: Sequence[tuple[str, str]] = (
    *(("AND", "&"), ("INTERNATIONAL", "INT'L"), ("INTERNATIONAL", "INTL"), ("BROTHERS", "BROS")),
    *(("MANUFACTURING", "MFG"), ("TRADING", "TRDG"), ("INDUSTRIES", "IND."), ("INDUSTRIES", "INDUSTRY")),
    *(("TECHNOLOGY", "TECH"), ("TECHNOLOGIES", "TECHNOLOGY"), ("GROUP", "GRP"), ("COMPANY", "CO")),
    *(("DEVELOPMENT", "DEV"), ("ENGINEERING", "ENG."), ("GENERAL", "GEN."), ("ASSOCIATION", "ASSN")),
    *(("SERVICES", "SERVICE"), ("INSTITUTE", "INST."), ("UNIVERSITY", "UNIV."), ("SHIPPING", "SHPG")),
    *(("TRANSPORT", "TRANSPORTATION"), ("NATIONAL", "NAT'L"), ("DEPARTMENT", "DEPT"), ("MANAGEMENT", "MGMT")),
    *(("INVESTMENT", "INVESTMENTS"), ("HOLDING", "HOLDINGS"), ("CENTER", "CENTRE")),
    *(("ORGANIZATION", "ORGANISATION"), ("DEFENSE", "DEFENCE"), ("PETROLEUM", "PETROL."), ("IMPORT", "IMP.")),
    *(("EXPORT", "EXP.")),
)
_CALLED = (
    *("Mr", "Mrs.", "Ms", "Dr.", "Professor", "Haji", "Sheikh", "General"),
    *("Col.", "Mullah", "Sayyid", "Eng.", "Capt.", "Mr. Dr."),
)


def shuffled(words: list[str], dice: random.Random) -> list[str] | None:
    """Family name first, with a comma or without; or any order."""
    if len(words) < 2:
        return None
    if dice.random() < 0.5:
        return [words[-1] + dice.choice([",", ""]), *words[:-1]]
    found = dice.sample(words, len(words))
    return found if found != words else found[::-1]


def initials(words: list[str], dice: random.Random) -> list[str] | None:
    """A given name is an initial: the first or the middle one."""
    if len(words) < 2:
        return None
    places = [place for place in range(len(words) - 1) if len(words[place]) > 1]
    if not places:
        return None
    place = dice.choice(places)
    return [*words[:place], words[place][0] + dice.choice([".", ""]), *words[place + 1 :]]


def mistyped(words: list[str], dice: random.Random) -> list[str] | None:
    """One slip; two in a name of eighteen letters or more."""
    found: list[str] | None = list(words)
    for _ in range(2 if sum(map(len, words)) >= 18 and dice.random() < 0.4 else 1):
        found = _slip(found, dice) if found else None
    return found


def _slip(words: list[str], dice: random.Random) -> list[str] | None:
    long = [place for place, word in enumerate(words) if len(word) >= 4 and word.isascii()]
    if not long:
        return None
    place = dice.choice(long)
    word = words[place]
    at = dice.randrange(len(word))
    ways = [
        word[:at] + _neighbour(word[at], dice) + word[at + 1 :],
        word[:at] + _neighbour(word[at], dice) + word[at:],
        word[: at + 1] + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    ]
    if vowels := [spot for spot, letter in enumerate(word) if spot and letter.lower() in _VOWELS]:
        spot = dice.choice(vowels)
        ways += [word[:spot] + word[spot + 1 :], word[:spot] + dice.choice(_VOWELS) + word[spot + 1 :]]
    return [*words[:place], dice.choice(ways), *words[place + 1 :]]


def _neighbour(letter: str, dice: random.Random) -> str:
    for row in _KEYBOARD:
        at = row.find(letter.lower())
        if at >= 0:
            return row[at + dice.choice([-1, 1])] if 0 < at < len(row) - 1 else row[1 if at == 0 else -2]
    return letter


def shortened(words: list[str], dice: random.Random) -> list[str] | None:
    """A word left out that is neither the first nor the only long one: a middle name, a field of business."""
    if len(words) < 3:
        return None
    longest = max(range(len(words)), key=lambda place: len(words[place]))
    places = [place for place in range(1, len(words)) if place != longest]
    place = dice.choice(places)
    return words[:place] + words[place + 1 :]


def glued(words: list[str], dice: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    place = dice.randrange(len(words) - 1)
    return [*words[:place], words[place].strip(".,") + words[place + 1], *words[place + 2 :]]


def cut(words: list[str], dice: random.Random) -> list[str] | None:
    """A long word in two, with a space or a hyphen."""
    long = [place for place, word in enumerate(words) if len(word) >= 7 and word.isalpha()]
    if not long:
        return None
    place = dice.choice(long)
    at = dice.randrange(3, len(words[place]) - 2)
    parts = [words[place][:at], words[place][at:]]
    return [*words[:place], *(parts if dice.random() < 0.6 else ["-".join(parts)]), *words[place + 1 :]]


def respelt(words: list[str], dice: random.Random) -> list[str] | None:
    """One to three sounds written otherwise."""
    text = " ".join(words).lower()
    fitting = [pair for pair in _SPELT if pair[0] in text]
    if not fitting:
        return None
    for old, new in dice.sample(fitting, min(len(fitting), dice.choice([1, 2, 2, 3]))):
        spots = [found.start() for found in re.finditer(re.escape(old), text)]
        if spots:
            spot = dice.choice(spots)
            text = text[:spot] + new + text[spot + len(old) :]
    return text.split()


def titled(words: list[str], dice: random.Random) -> list[str] | None:
    return [dice.choice(_CALLED), *words]


def other_form(words: list[str], dice: random.Random) -> list[str] | None:
    """The legal form spelled out, shortened, translated, put to the other end, or left out; or one added."""
    text = f" {' '.join(words)} ".upper().replace(",", "")
    fitting = [(ways[0], ways) for ways in _FORMS if f" {ways[0]} " in text]
    if not fitting:
        added = dice.choice(["LLC", "Ltd.", "Inc.", "S.A.", "GmbH", "Co., Ltd."])
        return [*words, added] if dice.random() < 0.4 else None
    old, ways = max(fitting, key=lambda each: len(each[0]))
    rest = text.replace(f" {old} ", " ").split()
    how = dice.random()
    if not rest:
        return None
    if how < 0.2:
        return rest
    if how < 0.35:
        return [dice.choice(ways), *rest]
    return text.replace(f" {old} ", f" {dice.choice(ways[1:])} ").split()


def abbreviated(words: list[str], dice: random.Random) -> list[str] | None:
    """A word of business as it is shortened; "and" as a sign."""
    text = f" {' '.join(words)} ".upper()
    fitting = [pair for pair in _SHORT if f" {pair[0]} " in text]
    if not fitting:
        return None
    old, new = dice.choice(fitting)
    return text.replace(f" {old} ", f" {new} ", 1).split()


PERSON: Mapping[str, Variant] = {
    "order": shuffled,
    "initials": initials,
    "typos": mistyped,
    "dropped": shortened,
    "merged": glued,
    "split": cut,
    "transliteration": respelt,
    "titles": titled,
}
ORGANIZATION: Mapping[str, Variant] = {
    "order": shuffled,
    "abbreviations": abbreviated,
    "typos": mistyped,
    "dropped": shortened,
    "merged": glued,
    "split": cut,
    "transliteration": respelt,
    "legal forms": other_form,
}
