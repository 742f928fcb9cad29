"""OFAC's lists as plain XML (sdn.xml, consolidated.xml)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from compliance.lists.formats import ofac
from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.draft import Draft, ListFile, Parsed, parsed
from compliance.lists.formats.trees import elements, root_of, text_of, texts_of
from contracts.terms.errors import Malformed


def recognises(file: ListFile) -> bool:
    return root_of(file.content)[0] == "sdnList"


def read(file: ListFile) -> Parsed:
    """Raises Malformed; also when the file has not as many entries as it says."""
    as_of, promised = _publication(file.content)
    drafts = list(_drafts(file.content, ofac.list_name(file.name)))
    if promised not in ("", str(len(drafts))):
        raise Malformed(f"it has {len(drafts)} entries and says {promised}: the file is damaged; fetch it again")
    return parsed(drafts, {ofac.LIST: ofac.ORIGIN, ofac.NON_SDN: ofac.ORIGIN}, as_of)


def _publication(content: bytes) -> tuple[str, str]:
    """The date of the issue and its number of entries."""
    for _, element in elements(content, "publshInformation"):
        try:
            published = datetime.strptime(text_of(element, "Publish_Date"), "%m/%d/%Y").replace(tzinfo=UTC)
            as_of = published.date().isoformat()
        except ValueError:
            as_of = ""
        return as_of, text_of(element, "Record_Count")
    return "", ""


def _drafts(content: bytes, list_name: str) -> Iterator[Draft]:
    for place, element in elements(content, "sdnEntry"):
        kind = text_of(element, "sdnType")
        draft = Draft(place, list_name, text_of(element, "uid"), ofac.KINDS.get(kind.lower(), kind or "unknown"))
        draft.names.append(_name(element))
        for alias in element.iterfind("akaList/aka"):
            (draft.weak_names if text_of(alias, "category") == "weak" else draft.names).append(_name(alias))
        for date in texts_of(element, "dateOfBirthList/dateOfBirthItem/dateOfBirth"):
            draft.birth_dates += birth_dates(date)
        draft.countries += texts_of(element, "nationalityList/nationality/country")
        draft.countries += texts_of(element, "citizenshipList/citizenship/country")
        for number in element.iterfind("idList/id"):
            if text_of(number, "idType") == "Gender":
                draft.genders.append(text_of(number, "idNumber"))
            elif ofac.identifies(text_of(number, "idType")):
                draft.identifiers.append(text_of(number, "idNumber"))
        yield draft


def _name(element: Element) -> str:
    """As OFAC writes it in its other forms: the last name, a comma, the first."""
    return ", ".join(filter(None, (text_of(element, "lastName"), text_of(element, "firstName"))))
