"""What is known of a party beside its name, for and against a resemblance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from compliance.lists.entries import ListEntry
from compliance.names.explain import explained
from compliance.names.search import Compared
from contracts.terms.parties import Party

SAME_NAME = 1000
"""What another nationality takes nothing from."""

OTHER_KIND = 60
OTHER_BIRTH_YEAR = 120
OTHER_NATIONALITY = 15
OTHER_GENDER = 60
_BIRTH_YEARS_APART = 1

IDENTIFIED = 990
"""The least for a name that resembles when the number of a document or register is the same."""

IDENTIFIED_ONLY = 960
"""The same number under a name that does not resemble: a person should look. Another number says nothing: people have
several documents."""

_FEW_CHARACTERS, _WORD = 5, 3
"""Shorter numbers are many people's, shorter words parts of a number."""

_PARTS = re.compile(r"[^\W_]+")
_BIC_LETTERS = 8
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)


@dataclass(frozen=True)
class Match:
    """A listed name that resembles. `score` is in thousandths; `reasons` name no data of the party itself."""

    list_name: str
    entry_id: str
    name: str
    score: int
    reasons: tuple[str, ...]


class Identified:
    """Entries by the numbers that lists tell of them."""

    def __init__(self, entries: Sequence[ListEntry]) -> None:
        self._entries = dict[str, list[ListEntry]]()
        for entry in entries:
            for number in {number for each in entry.identifiers for number in numbers_in(each)}:
                self._entries.setdefault(number, []).append(entry)

    def others(self, party: Party, found: Iterable[Match]) -> list[Match]:
        """Entries with the party's number that are not found by name."""
        known = {(match.list_name, match.entry_id) for match in found}
        asked = numbers_in(party.identification)
        same = {entry.reference: entry for number in asked for entry in self._entries.get(number, ())}.values()
        reasons = ("the identification is the same", "the name is another")
        return [
            Match(entry.list_name, entry.entry_id, entry.name, IDENTIFIED_ONLY, reasons)
            for entry in same
            if (entry.list_name, entry.entry_id) not in known
        ]


@lru_cache(maxsize=4096)
def numbers_in(written: str) -> frozenset[str]:
    """The numbers of documents and registers in what a list or a party tells, in capitals and without what they are
    parted by. Where words stand beside, as in "Libyan passport No. 513519", also each part with a digit. Of a BIC (ISO
    9362), which stands alone, the branch does not count."""
    text = written.upper()
    parts = _PARTS.findall(text)
    if len(parts) == 1 and _BIC.fullmatch(text):
        return frozenset((text[:_BIC_LETTERS],))
    told = any(len(part) >= _WORD and part.isalpha() for part in parts)
    found = ["".join(parts), *(parts if told else ())]
    return frozenset(each for each in found if len(each) >= _FEW_CHARACTERS and any(map(str.isdigit, each)))


def judge(compared: Compared, score: int, party: Party) -> Match:
    """Lower and raise a likeness by what is known besides, and say what agrees and what differs."""
    listed = compared.listed
    entry, reasons = listed.entry, list(explained(compared))
    if party.kind != entry.kind:
        score -= OTHER_KIND
        reasons.append(f"the list has it as {'a person' if entry.kind == 'person' else 'an organization'}")
    if party.birth_date and entry.birth_years:
        year = int(party.birth_date[:4])
        if min(abs(year - known) for known in entry.birth_years) > _BIRTH_YEARS_APART:
            score -= OTHER_BIRTH_YEAR
            reasons.append("another birth year")
        else:
            reasons.append("the birth year agrees")
    if party.nationality and entry.nationalities:
        if party.nationality in entry.nationalities:
            reasons.append("the nationality agrees")
        else:
            score -= OTHER_NATIONALITY if score < SAME_NAME else 0
            reasons.append("another nationality")
    if party.gender and entry.genders and party.kind == entry.kind == "person":
        agrees = party.gender in entry.genders
        score -= 0 if agrees else OTHER_GENDER
        reasons.append("the gender agrees" if agrees else "another gender")
    asked = numbers_in(party.identification)
    if asked and any(asked & numbers_in(each) for each in entry.identifiers):
        score = max(score, IDENTIFIED)
        reasons.append("the identification is the same")
    return Match(entry.list_name, entry.entry_id, listed.name, max(0, score), tuple(reasons))
