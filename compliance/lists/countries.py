"""Countries as lists write them: by code, or by one of many names."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import iso3166

_OTHER_NAMES = {
    "Bolivia": "BO",
    "Bosnia": "BA",
    "Britain": "GB",
    "Brunei": "BN",
    "Burma": "MM",
    "Cape Verde": "CV",
    "Congo Kinshasa": "CD",
    "Congo Brazzaville": "CG",
    "Czech Republic": "CZ",
    "East Timor": "TL",
    "Great Britain": "GB",
    "Holland": "NL",
    "Hong Kong SAR China": "HK",
    "Iran": "IR",
    "Ivory Coast": "CI",
    "Korea North": "KP",
    "North Korea": "KP",
    "Korea South": "KR",
    "South Korea": "KR",
    "Korea": "KR",
    "DPRK": "KP",
    "Laos": "LA",
    "Macau": "MO",
    "Macedonia": "MK",
    "Macedonia Former Yugoslav Republic": "MK",
    "Micronesia": "FM",
    "Moldova": "MD",
    "Myanmar Burma": "MM",
    "Palestine": "PS",
    "Palestinian": "PS",
    "Palestinian Territories": "PS",
    "West Bank": "PS",
    "Gaza": "PS",
    "Region Gaza": "PS",
    "Russia": "RU",
    "Swaziland": "SZ",
    "Syria": "SY",
    "Taiwan": "TW",
    "Tanzania": "TZ",
    "Turkey": "TR",
    "UAE": "AE",
    "UK": "GB",
    "United Kingdom": "GB",
    "USA": "US",
    "United States": "US",
    "Vatican City": "VA",
    "Venezuela": "VE",
    "Vietnam": "VN",
    "Virgin Islands U.S.": "VI",
    "Virgin Islands British": "VG",
}
_SAY_NOTHING = frozenset(["the", "of", "and", "&"])
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*", re.UNICODE)


@lru_cache(maxsize=4096)
def country_code(text: str) -> str:
    """The ISO 3166-1 code of two capital letters; empty for a state that is no more, or no country at all."""
    code = text.strip().upper()
    if len(code) == 2 and code.isascii() and code.isalpha():
        return code
    if code in iso3166.countries_by_alpha3:
        return str(iso3166.countries_by_alpha3[code].alpha2)
    return _by_name().get(_key(text), "")


@cache
def _by_name() -> dict[tuple[str, ...], str]:
    official = {_key(name): each.alpha2 for each in iso3166.countries for name in (each.name, each.apolitical_name)}
    return {_key(name): code for name, code in _OTHER_NAMES.items()} | official


def _key(name: str) -> tuple[str, ...]:
    """The words in any order, since "Iran, Islamic Republic of" is written in many."""
    words = (word.replace("’", "'") for word in _WORD.findall(name.casefold()))
    return tuple(sorted(word for word in words if word not in _SAY_NOTHING))
