"""Lists as JSON lines: OpenSanctions' entities in the FollowTheMoney model, and flat records with a primary name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from compliance.lists.entries import PEP, SANCTIONS
from compliance.lists.formats import ofac
from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from contracts.terms.errors import Malformed

LIST = "OpenSanctions"
ORIGIN = "OpenSanctions (open data for non-commercial use, else licensed)"
_SCHEMAS = {
    **dict.fromkeys(("Company", "Organization", "LegalEntity", "PublicBody"), ORGANIZATION),
    "Person": PERSON,
}
"""What can be a party; the other schemas are things, and relations between entities."""
_KINDS = {"PERSON": PERSON, "ORGANIZATION": ORGANIZATION}
_FLAT_LISTS = {"OFAC_SDN": ofac.LIST}
_NAMES, _WEAK = ("name", "alias", "previousName"), ("weakAlias", "abbreviation")
_COUNTRIES = ("nationality", "citizenship")
_NUMBERS = (
    *("idNumber", "passportNumber", "registrationNumber", "taxNumber", "innCode", "ogrnCode", "leiCode"),
    *("swiftBic", "socialSecurityNumber", "vatCode"),
)
_MOST_BRACKETS = 2000
"""Of a line: the reader of the standard library calls itself for each that stands in another."""
Properties = dict[str, list[str]]


def recognises_entities(file: ListFile) -> bool:
    return {"id", "schema", "properties"} <= _first(file).keys()


def recognises_records(file: ListFile) -> bool:
    return {"entity_id", "primary_name", "entity_type"} <= _first(file).keys()


def read_entities(file: ListFile) -> Parsed:
    """Raises Malformed."""
    drafts, as_of = list[Draft](), ""
    for place, line in _lines(file):
        drafts.append(_entity(place, line))
        as_of = max(as_of, str(line.get("last_change") or "")[:10])
    return parsed(drafts, {LIST: ORIGIN}, as_of)


def read_records(file: ListFile) -> Parsed:
    """Raises Malformed."""
    drafts = [_record(place, line) for place, line in _lines(file)]
    return parsed(drafts, {ofac.LIST: ofac.ORIGIN}, "")


def _entity(place: str, line: dict[str, Any]) -> Draft:
    schema, properties = line.get("schema"), line.get("properties")
    if not isinstance(schema, str) or not isinstance(properties, dict):
        raise Malformed(f"{place}: an entity needs its schema and properties")
    kind = _SCHEMAS.get(schema, NO_PARTY) if line.get("target", True) is True else NO_PARTY
    draft = Draft(place, LIST, str(line.get("id") or ""), kind)
    draft.names += [str(line.get("caption") or ""), *_values(place, properties, _NAMES)]
    draft.weak_names += _values(place, properties, _WEAK)
    for date in _values(place, properties, ("birthDate",)):
        draft.birth_dates += birth_dates(date)
    draft.countries += _values(place, properties, _COUNTRIES)
    draft.genders += _values(place, properties, ("gender",))
    draft.identifiers += _values(place, properties, _NUMBERS)
    topics = _values(place, properties, ("topics",))
    exposed = any(topic.startswith("role.") for topic in topics)
    draft.category = PEP if exposed and not any(topic.startswith("sanction") for topic in topics) else SANCTIONS
    return draft


def _values(place: str, properties: Properties, names: tuple[str, ...]) -> list[str]:
    found = []
    for name in names:
        values = properties.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Malformed(f"{place}: {name} must be a list of texts")
        found += values
    return found


def _record(place: str, line: dict[str, Any]) -> Draft:
    try:
        listed, _, entry_id = line["entity_id"].rpartition(":")
        draft = Draft(place, _FLAT_LISTS.get(listed, listed), entry_id, _KINDS.get(line["entity_type"], "unknown"))
        draft.names += [line["primary_name"], *(alias["name"] for alias in line["aliases"])]
        for date in line["dob"]:
            draft.birth_dates += birth_dates(date)
        draft.countries += line["countries"]
    except (KeyError, TypeError, AttributeError) as failure:
        raise Malformed(f"{place}: not a record of this form: {failure}") from failure
    return draft


def _lines(file: ListFile) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, text in enumerate(file.text.split("\n"), start=1):
        if text.strip():
            yield f"line {number}", _object(text, number)


def _object(text: str, number: int) -> dict[str, Any]:
    if text.count("{") + text.count("[") > _MOST_BRACKETS:
        raise Malformed(f"line {number}: more than {_MOST_BRACKETS} brackets: no list nests so")
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"line {number}: not JSON: the file is damaged or cut off") from failure
    if not isinstance(line, dict):
        raise Malformed(f"line {number}: an object is needed")
    return line


def _first(file: ListFile) -> dict[str, Any]:
    """The first line's object, or an empty one."""
    head = file.content[:1].decode("ascii", "replace")
    if head != "{":
        return {}
    try:
        return _object(file.content.partition(b"\n")[0].decode("utf-8", "replace"), 1)
    except Malformed:
        return {}
