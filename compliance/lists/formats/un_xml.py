"""The Consolidated List of the United Nations Security Council, as XML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from compliance.lists.formats.dates import birth_dates, years
from compliance.lists.formats.draft import ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.trees import elements, root_of, text_of, texts_of

LIST = "UN SC"
ORIGIN = "United Nations Security Council Consolidated List"
_KINDS = {"INDIVIDUAL": PERSON, "ENTITY": ORGANIZATION}
_NAMES = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_IN_BRACKETS = re.compile(r"^(?P<before>[^()]*\S)\s+(?P<within>\(.*\))\W*$", re.DOTALL)
_DIVIDERS = re.compile(r"[;()]|original script:?")
_ACRONYM = re.compile(r"[A-Z][A-Z/'’.-]{1,9}")


def recognises(file: ListFile) -> bool:
    return root_of(file.content)[0] == "CONSOLIDATED_LIST"


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    as_of = root_of(file.content)[1].get("dateGenerated", "")[:10]
    return parsed(_drafts(file.content), {LIST: ORIGIN}, as_of)


def _drafts(content: bytes) -> Iterator[Draft]:
    for place, element in elements(content, *_KINDS):
        kind = _KINDS[element.tag]
        entry_id = text_of(element, "REFERENCE_NUMBER") or text_of(element, "DATAID")
        draft = Draft(place, LIST, entry_id, kind)
        draft.names.append(" ".join(filter(None, (text_of(element, part) for part in _NAMES))))
        draft.names += texts_of(element, "NAME_ORIGINAL_SCRIPT")
        for alias in element.iterfind(f"{element.tag}_ALIAS"):
            _add_alias(draft, alias)
        draft.birth_dates += _birth_dates(element)
        draft.countries += texts_of(element, "NATIONALITY/VALUE")
        draft.genders += texts_of(element, "GENDER")
        draft.identifiers += texts_of(element, "INDIVIDUAL_DOCUMENT/NUMBER")
        yield draft


def _add_alias(draft: Draft, alias: Element) -> None:
    strong, weak = names_of(text_of(alias, "ALIAS_NAME"))
    if text_of(alias, "QUALITY") == "Low":
        strong, weak = [], strong + weak
    draft.names += strong
    draft.weak_names += weak


def names_of(text: str) -> tuple[list[str], list[str]]:
    """The names in an alias: several stand between semicolons, another script or an acronym in brackets at the end.

    Acronyms are weak. What else stands in brackets is a remark, such as "(previously listed as)".
    """
    found = _IN_BRACKETS.match(text)
    if not found:
        return text.split(";"), []
    strong, weak = found["before"].split(";"), list[str]()
    for part in map(str.strip, _DIVIDERS.split(found["within"])):
        if part and _latin(part) != _latin(found["before"]):
            strong.append(part)
        elif _ACRONYM.fullmatch(part):
            weak.append(part)
    return strong, weak


def _latin(text: str) -> bool:
    return any(unicodedata.name(each, "").startswith("LATIN") for each in text)


def _birth_dates(element: Element) -> Iterator[str]:
    for born in element.iterfind("INDIVIDUAL_DATE_OF_BIRTH"):
        for path in ("DATE", "YEAR"):
            yield from birth_dates(text_of(born, path))
        yield from years(text_of(born, "FROM_YEAR"), text_of(born, "TO_YEAR"))
