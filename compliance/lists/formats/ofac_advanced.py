"""OFAC's lists in the Advanced Sanctions Data Model (sdn_advanced.xml), with original scripts.

Parties refer to values by number: what a number means stands in the reference sets of the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from compliance.lists.countries import country_code
from compliance.lists.formats import ofac
from compliance.lists.formats.dates import years
from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON, Draft, ListFile, Parsed, parsed
from compliance.lists.formats.trees import elements, root_of, text_of

_PARTS = (
    *("DateOfIssue", "PartySubType", "DetailReference", "AreaCode", "Country", "Location"),
    *("DistinctParty", "IDRegDocument"),
)
_KINDS = {"3": ORGANIZATION, "4": PERSON}
"""Party subtypes, where the file does not name them: the numbers have been the same since 2014."""
_BIRTH, _NATIONALITY, _CITIZENSHIP, _GENDER = "8", "10", "11", "224"
_GENDERS = {"91526": "male", "91527": "female"}


def recognises(file: ListFile) -> bool:
    return root_of(file.content)[0] == "Sanctions"


def read(file: ListFile) -> Parsed:
    """Raises Malformed."""
    reader = _Reader(ofac.list_name(file.name))
    drafts = list(reader.drafts(file.content))
    for draft in drafts:
        draft.identifiers += reader.documents.get(draft.entry_id, [])
    return parsed(drafts, {ofac.LIST: ofac.ORIGIN, ofac.NON_SDN: ofac.ORIGIN}, reader.as_of)


class _Reader:
    """The values that parties refer to, as far as the file was read: they stand before the parties."""

    def __init__(self, list_name: str) -> None:
        self._list, self.as_of = list_name, ""
        self._kinds, self._genders = dict(_KINDS), dict(_GENDERS)
        self._countries: dict[str, str] = {}
        """Country codes by the number of an area or of a location."""
        self._owners: dict[str, str] = {}
        """Entries' ids by the number of an identity."""
        self.documents: dict[str, list[str]] = {}
        """Numbers of documents by the id of their owner's entry; they stand behind the parties."""

    def drafts(self, content: bytes) -> Iterator[Draft]:
        for place, element in elements(content, *_PARTS):
            number = element.get("ID", "")
            if element.tag == "DistinctParty":
                yield self._draft(place, element)
            elif element.tag == "PartySubType":
                self._kinds[number] = _kind((element.text or "").strip(), element.get("PartyTypeID", ""))
            elif element.tag == "DetailReference" and (element.text or "").strip() in ("Male", "Female"):
                self._genders[number] = (element.text or "").strip().lower()
            elif element.tag == "AreaCode":
                self._countries["AreaCode " + number] = country_code(element.text or element.get("Description", ""))
            elif element.tag == "Country":
                self._countries["Country " + number] = country_code(element.get("ISO2") or element.text or "")
            elif element.tag == "Location":
                self._countries[number] = self._country_of(element)
            elif element.tag == "DateOfIssue":
                self.as_of = _day(element)
            elif element.tag == "IDRegDocument":
                self._document(element)

    def _country_of(self, location: Element) -> str:
        for path, kind in (("LocationCountry", "Country"), ("LocationAreaCode", "AreaCode")):
            for each in location.iterfind(path):
                if found := self._countries.get(f"{kind} {each.get(kind + 'ID', '')}"):
                    return found
        return ""

    def _draft(self, place: str, party: Element) -> Draft:
        profile = party.find("Profile")
        subtype = profile.get("PartySubTypeID", "") if profile is not None else ""
        draft = Draft(place, self._list, party.get("FixedRef", ""), self._kinds.get(subtype, NO_PARTY))
        for identity in party.iterfind("Profile/Identity"):
            self._owners[identity.get("ID", "")] = draft.entry_id
            if identity.get("False") != "true":
                _add_names(draft, identity)
        for feature in party.iterfind("Profile/Feature"):
            self._add_feature(draft, feature)
        return draft

    def _add_feature(self, draft: Draft, feature: Element) -> None:
        kind = feature.get("FeatureTypeID")
        for version in feature.iterfind("FeatureVersion"):
            detail, location = version.find("VersionDetail"), version.find("VersionLocation")
            if kind == _BIRTH:
                draft.birth_dates += _born(version)
            elif kind == _GENDER and detail is not None:
                draft.genders.append(self._genders.get(detail.get("DetailReferenceID", ""), ""))
            elif kind in (_NATIONALITY, _CITIZENSHIP) and location is not None:
                draft.countries.append(self._countries.get(location.get("LocationID", ""), ""))

    def _document(self, document: Element) -> None:
        number, owner = text_of(document, "IDRegistrationNo"), self._owners.get(document.get("IdentityID", ""))
        if number and owner:
            self.documents.setdefault(owner, []).append(number)


def _kind(subtype: str, party_type: str) -> str:
    """By name; "Unknown" ones have a type, which is 1 for individuals and 2 for entities."""
    if subtype in ("Vessel", "Aircraft"):
        return NO_PARTY
    return {"1": PERSON, "2": ORGANIZATION}.get(party_type, NO_PARTY)


def _add_names(draft: Draft, identity: Element) -> None:
    """Of each alias the documented names, which say it in one script each; the primary one first."""
    family_parts = {
        group.get("ID")
        for group in identity.iterfind("NamePartGroups/MasterNamePartGroup/NamePartGroup")
        if group.get("NamePartTypeID") == "1520"
    }
    for alias in identity.iterfind("Alias"):
        names = [_name(each, family_parts) for each in alias.iterfind("DocumentedName")]
        if alias.get("LowQuality") == "true":
            draft.weak_names += names
        elif alias.get("Primary") == "true":
            draft.names[:0] = names
        else:
            draft.names += names


def _name(documented: Element, family_parts: set[str | None]) -> str:
    """The parts in their order, with OFAC's comma behind the last name."""
    parts = [part for part in documented.iterfind("DocumentedNamePart/NamePartValue") if (part.text or "").strip()]
    texts = [(part.text or "").strip() for part in parts]
    if len(parts) > 1 and parts[0].get("NamePartGroupID") in family_parts:
        return f"{texts[0]}, {' '.join(texts[1:])}"
    return " ".join(texts)


def _born(version: Element) -> list[str]:
    period = version.find("DatePeriod")
    if period is None:
        return []
    first, last = period.find("Start/From"), period.find("End/To")
    if first is None or last is None:
        return []
    if _day(first) == _day(last):
        return [_day(first)]
    return years(text_of(first, "Year"), text_of(last, "Year"))


def _day(element: Element) -> str:
    year, month, day = (text_of(element, part) for part in ("Year", "Month", "Day"))
    return f"{year}-{month:0>2}-{day:0>2}" if month and day else year
