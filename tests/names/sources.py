"""The public data that the matcher is trained with and measured on, and what keeps the two apart (see MODEL.md)."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from compliance.lists.entries import ListEntry

FOLDER = next(
    (parent / "shared" / "data" / "aml" for parent in Path(__file__).resolve().parents if (parent / "shared").is_dir()),
    Path("shared/data/aml"),
)


class Customer(NamedTuple):
    """A made-up person who is on no list."""

    name: str
    birth_date: str
    country: str


class LabelledPair(NamedTuple):
    """Two names and whether a person would say that they are the same party's."""

    kind: str
    one: str
    other: str
    same: bool


def present() -> bool:
    return FOLDER.is_dir()


def bucket(text: str, of: int) -> int:
    """The same for the same text in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % of


@cache
def ofac_2019() -> tuple[ListEntry, ...]:
    """The list of 2019: what training sees of OFAC's."""
    aliases = defaultdict[str, list[str]](list)
    for row in _rows(FOLDER / "lists/watchman/alt.csv"):
        aliases[row[0]].append(row[3])
    found = []
    for row in _rows(FOLDER / "lists/watchman/sdn.csv"):
        kind = {"individual": "person", "-0- ": "organization", "-0-": "organization"}.get(row[2].strip() or "-0-")
        if kind and row[1]:
            found.append(ListEntry("OFAC", row[0], kind, row[1], tuple(aliases[row[0]]), (), ()))
    return tuple(found)


@cache
def ofac_2026() -> tuple[ListEntry, ...]:
    """The whole list of 2026."""
    with gzip.open(FOLDER / "lists/ofac_sdn_20260803.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(_ofac(json.loads(line)) for line in lines)


@cache
def ofac_new() -> tuple[ListEntry, ...]:
    """Entries that came after 2019, which training has not seen."""
    known = {entry.entry_id for entry in ofac_2019()}
    return tuple(entry for entry in ofac_2026() if entry.entry_id not in known)


def ofac_gone() -> tuple[ListEntry, ...]:
    """Entries of 2019 that are no longer listed: names of real parties who are on no list today."""
    known = {entry.entry_id for entry in ofac_2026()}
    return tuple(entry for entry in ofac_2019() if entry.entry_id not in known)


def customers(*, training: bool) -> tuple[Customer, ...]:
    """Synthetic negatives: a tenth of the names, by hash, is for training, the others for measuring."""
    return tuple(each for each in _customers() if (bucket(each.name, 10) == 0) == training)


@cache
def _customers() -> tuple[Customer, ...]:
    found = []
    for file in ("negatives_global.csv", "negatives_us.csv"):
        with (FOLDER / "yente" / file).open(encoding="utf-8", newline="") as lines:
            found += [
                Customer(row["full_name"], row["date_of_birth"], row["nationality"]) for row in csv.DictReader(lines)
            ]
    return tuple(found)


@cache
def un_entries() -> tuple[ListEntry, ...]:
    """The UN's list, its names in Latin letters only."""
    return tuple(entry for entry, _ in _un())


def un_scripts(*, training: bool) -> tuple[tuple[str, str], ...]:
    """(entry id, name in the original script) of persons, by the hash of the id: half for training, half to measure."""
    return tuple(
        (entry.entry_id, original)
        for entry, original in _un()
        if original and entry.kind == "person" and (bucket(entry.entry_id, 2) == 0) == training
    )


def un_positives(treated: bool) -> list[tuple[str, str, str]]:
    """(name, birth date, country) of yente's UN fixtures."""
    file = FOLDER / "yente" / f"positives_un_{'treated' if treated else 'untreated'}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return [(row["full_name"], row["date_of_birth"], row["nationality"]) for row in csv.DictReader(lines)]


@cache
def name_bench() -> tuple[LabelledPair, ...]:
    """Pairs of names; none of them is trained on."""
    with (FOLDER / "name_bench/cases.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            LabelledPair(_kind(row["schema"]), row["name1"], row["name2"], row["is_match"] == "true")
            for row in csv.DictReader(lines)
        )


def _kind(schema: str) -> str:
    return "person" if schema == "Person" else "organization"


@cache
def _un() -> tuple[tuple[ListEntry, str], ...]:
    root = ElementTree.parse(FOLDER / "lists/un_sc_consolidated_2026-02-27.xml").getroot()  # a file of our own folder
    found = []
    for tag, kind in (("INDIVIDUAL", "person"), ("ENTITY", "organization")):
        for each in root.iter(tag):
            parts = (each.findtext(f"{place}_NAME") for place in ("FIRST", "SECOND", "THIRD", "FOURTH"))
            name = " ".join(part.strip() for part in parts if part and part.strip())
            aliases = [(alias.text or "").strip() for alias in each.iter("ALIAS_NAME")]
            dates = tuple((year.text or "")[:4] for year in (*each.iter("YEAR"), *each.iter("DATE")) if year.text)
            reference = (each.findtext("REFERENCE_NUMBER") or "").strip()
            original = (each.findtext("NAME_ORIGINAL_SCRIPT") or "").strip()
            entry = ListEntry("UN", reference, kind, name, tuple(a for a in aliases if a and a.isascii()), dates, ())
            found.append((entry, original))
    return tuple(found)


def _ofac(row: dict) -> ListEntry:
    kind = "person" if row["entity_type"] == "PERSON" else "organization"
    aliases = tuple(alias["name"] for alias in row["aliases"])
    dates = tuple(year for date in row["dob"] for year in re.findall(r"\b[12][0-9]{3}\b", date)[:1])
    number = row["entity_id"].partition(":")[2]
    return ListEntry("OFAC", number, kind, row["primary_name"], aliases, dates, tuple(row["countries"]))


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        yield from (row for row in csv.reader(lines) if len(row) > 3)
