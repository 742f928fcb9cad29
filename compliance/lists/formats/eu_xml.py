"""The consolidated list of the European Union's financial sanctions, as XML."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.trees import elements, root_of

LIST = "EU"
ORIGIN = "European Union, consolidated list of financial sanctions"
KINDS = {"person": PERSON, "p": PERSON, "enterprise": ORGANIZATION, "e": ORGANIZATION}
GENDERS = {"m": "male", "f": "female"}


def recognises(file: ListFile) -> bool:
    root, attributes = root_of(file.content)
    return root == "export" and "generationDate" in attributes


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    as_of = root_of(file.content)[1].get("generationDate", "")[:10]
    return parsed(_drafts(file.content), {LIST: ORIGIN}, as_of)


def _drafts(content: bytes) -> Iterator[Draft]:
    for place, element in elements(content, "sanctionEntity"):
        subject = element.find("subjectType")
        code = subject.get("code", "") if subject is not None else ""
        draft = Draft(place, LIST, element.get("logicalId", ""), KINDS.get(code.lower(), code or "unknown"))
        for alias in element.iterfind("nameAlias"):
            names = draft.weak_names if alias.get("strong") == "false" else draft.names
            names.append(alias.get("wholeName") or _put_together(alias))
            draft.genders.append(GENDERS.get(alias.get("gender", "").lower(), ""))
        for born in element.iterfind("birthdate"):
            draft.birth_dates += birth_dates(born.get("birthdate") or born.get("year") or "")
        draft.countries += [each.get("countryIso2Code", "") for each in element.iterfind("citizenship")]
        draft.identifiers += [each.get("number", "") for each in element.iterfind("identification")]
        yield draft


def _put_together(alias: Element) -> str:
    return " ".join(filter(None, (alias.get(part, "") for part in ("firstName", "middleName", "lastName"))))
