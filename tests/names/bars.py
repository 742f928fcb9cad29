"""The bars of name matching, as measurements. Each returns shares between 0 and 1; the floors stand in the tests.

A threshold is always one that clears all but a stated share of customers who are on no list.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from rapidfuzz import fuzz

from compliance.lists.entries import ListEntry
from compliance.names.match import NameIndex
from contracts.terms.parties import Party
from tests.names import sources, variants
from tests.names.alphabets import cyrillic, han, hangul

SEED = 7
SAME_SPELLING = 70
"""Percent of letters (any order of words) from which two names of an entry are one name in two spellings."""


@dataclass(frozen=True)
class Query:
    """A name that is an entry's, in some other form."""

    name: str
    entry: ListEntry
    birth_date: str = ""
    nationality: str = ""

    @property
    def party(self) -> Party:
        return Party(self.name, self.entry.kind, birth_date=self.birth_date, nationality=self.nationality)


def top(index: NameIndex, party: Party) -> int:
    found = index.matches(party)
    return found[0].score if found else 0


def hit(index: NameIndex, query: Query) -> int:
    """The score of the entry that it is, 0 when that is not among the matches."""
    found = index.matches(query.party)
    return next((match.score for match in found if match.entry_id == query.entry.entry_id), 0)


def threshold(index: NameIndex, strangers: Iterable[Party], share: float) -> int:
    """The least score that at most `share` of the strangers reach."""
    scores = sorted((top(index, stranger) for stranger in strangers), reverse=True)
    return scores[int(share * len(scores))] + 1


def recall(index: NameIndex, queries: Sequence[Query], least: int) -> float:
    return sum(hit(index, query) >= least for query in queries) / len(queries)


def strangers(count: int, *, native: bool = False, known: bool = False) -> list[Party]:
    """Customers of the measuring part; `native`: not in Latin letters; `known`: with birth date and country."""
    all_of_them = [each for each in sources.customers(training=False) if not native or not each.name.isascii()]
    if native:
        all_of_them = [each for each in all_of_them if sum(ord(letter) > 0x370 for letter in each.name) > 1]
    chosen = random.Random(SEED).sample(all_of_them, min(count, len(all_of_them)))
    if not known:
        return [Party(each.name, "person") for each in chosen]
    return [
        Party(each.name, "person", birth_date=each.birth_date, nationality=COUNTRIES.get(each.country, "XX"))
        for each in chosen
    ]


def delisted() -> list[Party]:
    """Organisations that were on OFAC's list of 2019 and are on none today: hard strangers, for many were sisters of a
    listed one."""
    return [Party(entry.name, entry.kind) for entry in sources.ofac_gone() if entry.kind == "organization"]


def perturbed(kind: str, each: int, by: ModuleType = variants) -> dict[str, list[Query]]:
    """By kind of difference, names of entries that training has not seen; `by`: the generator of variants."""
    dice = random.Random(SEED)
    entries = [entry for entry in sources.ofac_new() if entry.kind == kind and len(entry.name.split()) > 1]
    found: dict[str, list[Query]] = {}
    for name, variant in (by.PERSON if kind == "person" else by.ORGANIZATION).items():
        queries = list[Query]()
        for entry in dice.sample(entries, len(entries)):
            if len(queries) == each:
                break
            if made := variants.varied(entry.name, variant, dice):
                queries.append(Query(made, entry))
        found[name] = queries
    return found


def orthographic(kind: str, count: int) -> list[tuple[Query, ListEntry]]:
    """An alias that spells another name of its entry otherwise, and the entry without it."""
    found = []
    for entry in sources.ofac_new():
        if entry.kind != kind:
            continue
        for alias in entry.aliases:
            rest = tuple(name for name in (entry.name, *entry.aliases) if name != alias)
            if max((fuzz.token_sort_ratio(alias, name) for name in rest), default=0) >= SAME_SPELLING:
                kept = replace(entry, name=rest[0], aliases=rest[1:])
                found.append((Query(alias, entry), kept))
                break
    return random.Random(SEED).sample(found, min(count, len(found)))


def cross_script(
    write: Callable[[str, random.Random], str | None], fits: Callable[[ListEntry], bool], count: int
) -> list[Query]:
    dice = random.Random(SEED)
    queries = list[Query]()
    for entry in sources.ofac_new():
        if entry.kind == "person" and fits(entry) and (written := write(entry.name, dice)):
            queries.append(Query(written, entry))
    return dice.sample(queries, min(count, len(queries)))


def russian(entry: ListEntry) -> bool:
    return entry.name.lower().endswith(("vich", "vna", "ovich", "evna"))


SCRIPTS: Mapping[str, Callable[[int], list[Query]]] = {
    "Cyrillic": lambda count: cross_script(cyrillic, russian, count),
    "Han": lambda count: cross_script(han, lambda entry: "CN" in entry.nationalities or not entry.nationalities, count),
    "Hangul": lambda count: cross_script(hangul, lambda _: True, count),
}


def arabic(count: int) -> list[Query]:
    """Real ones: the UN's original script of persons that training has not seen, against its Latin names."""
    known = {entry.entry_id: entry for entry in sources.un_entries()}
    pairs = sources.un_scripts(training=False)
    found = [Query(name, known[key]) for key, name in pairs if any("\u0600" <= letter <= "\u06ff" for letter in name)]
    return random.Random(SEED).sample(found, min(count, len(found)))


def script_pairs() -> list[tuple[int, bool]]:
    """Of watchman's pairs across scripts: the score, and whether the name comes first among all of them."""
    rows = [row for row in csv.reader(_script_lines()) if len(row) == 4 and row[0] != "Query"]
    entries = [ListEntry("PAIRS", str(number), "person", row[1], (), (), ()) for number, row in enumerate(rows)]
    index = NameIndex(entries, least=0)
    found = []
    for number, (asked, *_) in enumerate(rows):
        matches = index.matches(Party(asked, "person"))
        of_entry = [match.score for match in matches if match.entry_id == str(number)]
        same = {entry.entry_id for entry in entries if entry.name == entries[number].name}
        found.append((max(of_entry, default=0), bool(matches) and matches[0].entry_id in same))
    return found


def _script_lines() -> list[str]:
    text = (sources.FOLDER / "lists/watchman/cross_script_pairs.csv").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pair_score(kind: str, one: str, other: str) -> int:
    """How much a name resembles the only listed one."""
    index = NameIndex([ListEntry("TEST", "1", kind, other, (), (), ())], least=0)
    return top(index, Party(one, kind))


@dataclass(frozen=True)
class Curve:
    """What scores of labelled pairs are worth."""

    average_precision: float
    best_f1: float
    scored: tuple[tuple[int, bool], ...]

    def recall_at(self, precision: float) -> float:
        return max((recall for found, recall in self.points() if found >= precision), default=0.0)

    def best_accuracy(self) -> float:
        least = {score for score, _ in self.scored} | {1001}
        return max(sum((score >= limit) == same for score, same in self.scored) for limit in least) / len(self.scored)

    def share_at_most(self, score: int) -> float:
        """Of the pairs that are not the same, those that reach `score`."""
        others = [found for found, same in self.scored if not same]
        return sum(found >= score for found in others) / len(others)

    def points(self) -> list[tuple[float, float]]:
        """(precision, recall) at each score."""
        return _points(self.scored)


def curve(scored: Iterable[tuple[int, bool]]) -> Curve:
    pairs = tuple(scored)
    points = _points(pairs)
    before, area = 0.0, 0.0
    for precision, found in points:
        area, before = area + precision * (found - before), found
    return Curve(area, max(2 * p * r / (p + r) for p, r in points if p + r), pairs)


def _points(scored: Sequence[tuple[int, bool]]) -> list[tuple[float, float]]:
    positives = sum(same for _, same in scored)
    points, right, taken = [], 0, 0
    ranked = sorted(scored, reverse=True)
    for place, (score, same) in enumerate(ranked):
        right, taken = right + same, taken + 1
        if place + 1 == len(ranked) or ranked[place + 1][0] != score:
            points.append((right / taken, right / positives))
    return points


def name_bench() -> Curve:
    return curve((pair_score(pair.kind, pair.one, pair.other), pair.same) for pair in sources.name_bench())


def entity_bench() -> Curve:
    import yaml

    checks = yaml.safe_load((sources.FOLDER / "name_bench/checks.yml").read_text("utf-8"))["checks"]
    scored = []
    for check in checks:
        kind = "person" if check["schema"] == "Person" else "organization"
        asked, listed = _names(check["query"]), _names(check["candidate"])
        index = NameIndex([ListEntry("TEST", "1", kind, listed[0], tuple(listed[1:]), (), ())], least=0)
        scored.append((max(top(index, Party(name, kind)) for name in asked), bool(check["match"])))
    return curve(scored)


_PARTS = ("firstName", "middleName", "fatherName", "lastName")


def _names(entity: Mapping[str, object]) -> list[str]:
    found = entity.get("name", [])
    names = [str(name) for name in (found if isinstance(found, list) else [found])]
    if parts := [str(entity[part]) for part in _PARTS if part in entity]:
        names.append(" ".join(parts))
    return names


def un_at_first_rank(treated: bool) -> float:
    """The share of yente's UN fixtures whose entry comes first, against the UN's list."""
    entries = sources.un_entries()
    index = NameIndex(entries, least=0)
    rows = zip(sources.un_positives(False), sources.un_positives(treated), strict=True)
    found = total = 0
    by_name = {entry.name.upper(): entry.entry_id for entry in entries}
    same_name = {}
    for entry in entries:
        same_name.setdefault(entry.name.upper(), set()).add(entry.entry_id)
    for (name, _, _), (asked, _, _) in rows:
        if name.upper() in by_name:
            total += 1
            matches = index.matches(Party(asked, "person"))
            found += bool(matches) and matches[0].entry_id in same_name[name.upper()]
    assert total > 500, "the fixtures are of this list"
    return found / total


COUNTRIES = {
    "Iraq": "IQ",
    "Iran": "IR",
    "Syria": "SY",
    "Russia": "RU",
    "Ukraine": "UA",
    "China": "CN",
    "Lebanon": "LB",
    "Afghanistan": "AF",
    "Pakistan": "PK",
    "Yemen": "YE",
    "Mexico": "MX",
    "Colombia": "CO",
    "Belarus": "BY",
    "North Korea": "KP",
    "Venezuela": "VE",
    "Libya": "LY",
    "Somalia": "SO",
    "Egypt": "EG",
    "Tunisia": "TN",
}
