"""Birth dates as lists write them: exact, of a month, of a year, about a year, or from one to another."""

from __future__ import annotations

import re

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ISO = re.compile(r"([12][0-9]{3})-([0-9]{2})-([0-9]{2})(?:T.*)?", re.ASCII)
_ISO_MONTH = re.compile(r"([12][0-9]{3})(?:-[0-9]{2})?", re.ASCII)
_WORDS = re.compile(r"(?:(?:([0-9]{1,2}) )?([A-Za-z]{3})[a-z]* )?([12][0-9]{3})", re.ASCII)
_SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([12][0-9]{3})", re.ASCII)
_ABOUT = re.compile(r"^(?:circa|c\.|ca\.|approximately|about|between)\s+", re.IGNORECASE)
_BETWEEN = re.compile(r"\s+(?:to|and|-)\s+|\s*[–]\s*", re.IGNORECASE)
_LONGEST_SPAN = 100


def birth_dates(text: str) -> list[str]:
    """YYYY-MM-DD, or the years YYYY that are possible; empty for what is no date.

    Where slashes divide it, the day stands first: only the European lists write so.
    """
    plain = _ABOUT.sub("", text.strip())
    first, *rest = _BETWEEN.split(plain, maxsplit=1)
    if not rest:
        return [found] if (found := _date(first)) else []
    return years(_date(first)[:4], _date(rest[0])[:4])


def years(first: str, last: str) -> list[str]:
    """All years from one to another; only those two if they are too far apart or one is missing."""
    if not (first and last):
        return [each for each in (first, last) if each]
    low, high = sorted((int(first), int(last)))
    if high - low > _LONGEST_SPAN:
        return [str(low), str(high)]
    return [str(year) for year in range(low, high + 1)]


def _date(text: str) -> str:
    text = text.strip().rstrip(".")
    if found := _ISO.fullmatch(text):
        return _of(found[1], int(found[2]), int(found[3]))
    if found := _ISO_MONTH.fullmatch(text):
        return found[1]
    if found := _SLASHED.fullmatch(text):
        return _of(found[3], int(found[2]), int(found[1]))
    if found := _WORDS.fullmatch(text):
        return _of(found[3], _MONTHS.get((found[2] or "").lower(), 0), int(found[1] or 0))
    return ""


def _of(year: str, month: int, day: int) -> str:
    """Without a day or a month that can be (lists write 00/00/1980) it is a year."""
    return f"{year}-{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else year
