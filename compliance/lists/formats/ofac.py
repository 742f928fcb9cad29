"""What the forms of the United States' Office of Foreign Assets Control (OFAC) have in common."""

from __future__ import annotations

from compliance.lists.formats.draft import NO_PARTY, ORGANIZATION, PERSON

LIST = "OFAC SDN"
NON_SDN = "OFAC Consolidated"
ORIGIN = "US Treasury, Office of Foreign Assets Control (US government work)"
KINDS = {"individual": PERSON, "entity": ORGANIZATION, "vessel": NO_PARTY, "aircraft": NO_PARTY}
_NUMBERS = (
    "passport",
    "cedula",
    "identification",
    "id no",
    "national id",
    "tax id",
    "registration",
    "registered",
    "swift",
    "bic",
    "legal entity number",
    "license",
    "lei",
    "nit",
    "ruc",
    "rfc",
    "c.u.r.p",
    "ssn",
    "digital currency address",
    "government gazette",
)


def list_name(file_name: str) -> str:
    """Which of OFAC's two lists a file is of; the forms are the same and only the file's name tells."""
    return NON_SDN if "cons" in file_name.rpartition("/")[2].lower() else LIST


def identifies(label: str) -> bool:
    """Does a remark with this label carry a number that identifies its owner?"""
    folded = label.casefold().removeprefix("alt. ")
    return folded.startswith(_NUMBERS)
