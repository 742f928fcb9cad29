"""The policy: what is refused, what is held, and the limits. One TOML file; other content is another version."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.limits import Calendar, LimitBook, read_calendar, read_limits
from compliance.names.match import LEAST_SCORE, SAME_WORDS
from contracts.terms.errors import Malformed

SHIPPED_POLICY = Path(__file__).parent / "policy.toml"

_SECTIONS = {"names": {"refuse", "hold"}, "holds": {"seconds"}, "countries": {"blocked"}}
_OPTIONAL = {"holds": {"refusers"}, "names": {"ask"}}
_MAY_STAND = {"limits", "calendar", "corridors"}
PARTICULARS = ("birth_date", "nationality")
"""What the other agent may be asked of its customer: fields of a party."""
_MOST_OFFICERS = 5
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_LONGEST_HOLD = 31 * 86400


@dataclass(frozen=True)
class Policy:
    """`refuse_score` and `hold_score` in thousandths, `hold_seconds` of chain time, `refusers` the different officers
    who must refuse a hold, `ask` those of PARTICULARS that the other agent is asked before a match of its customer is
    held.

    `version` is the SHA-256 of `content`, in hex. What a policy does not say is as it was when no policy could say it,
    so that decisions of then run again to the same result: days and years of UTC, one refuser, no limit of a year,
    nobody is asked.
    """

    version: str
    content: str
    refuse_score: int
    hold_score: int
    hold_seconds: int
    refusers: int
    blocked_countries: frozenset[str]
    calendar: Calendar
    limits: LimitBook
    ask: tuple[str, ...] = ()


def load_policy(path: Path) -> Policy:
    """Read a policy file. Raises Malformed in one line that names the file and the entry."""
    try:
        return read_policy(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as failure:
        raise Malformed(f"policy {path}: {failure}") from failure
    except Malformed as failure:
        raise Malformed(f"policy {path}: {failure.detail}") from failure


def read_policy(content: str) -> Policy:
    """A policy from its text. Raises Malformed."""
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as failure:
        raise Malformed(f"not TOML: {failure}") from failure
    required = _SECTIONS.keys() | {"limits"}
    if not required <= document.keys() <= required | _MAY_STAND:
        raise Malformed(
            f"the sections are {', '.join(_SECTIONS)} and limits, perhaps calendar and corridors, no others"
        )
    for section, names in _SECTIONS.items():
        _require_names(document[section], names, section)
    names, holds = document["names"], document["holds"]
    refuse = _integer(names["refuse"], "names.refuse", LEAST_SCORE, SAME_WORDS)
    return Policy(
        version=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        refuse_score=refuse,
        hold_score=_integer(names["hold"], "names.hold", LEAST_SCORE, refuse),
        hold_seconds=_integer(holds["seconds"], "holds.seconds", 1, _LONGEST_HOLD),
        refusers=_integer(holds.get("refusers", 1), "holds.refusers", 1, _MOST_OFFICERS),
        blocked_countries=_countries(document["countries"]["blocked"]),
        calendar=read_calendar(document["calendar"]) if "calendar" in document else Calendar(),
        limits=read_limits(document["limits"], document.get("corridors", {})),
        ask=_particulars(names.get("ask", [])),
    )


def _particulars(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(each in PARTICULARS for each in value):
        raise Malformed(f"names.ask: a list of {', '.join(PARTICULARS)}, or an empty one, is needed")
    return tuple(each for each in PARTICULARS if each in value)


def _countries(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and _COUNTRY.fullmatch(each) for each in value):
        raise Malformed("countries.blocked: a list of ISO 3166-1 codes of two capital letters is needed")
    return frozenset(value)


def _require_names(section: Any, names: set[str], where: str) -> None:
    if not isinstance(section, dict) or section.keys() - _OPTIONAL.get(where, set()) != names:
        raise Malformed(f"{where}: exactly {', '.join(sorted(names))} are needed")


def _integer(value: Any, where: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Malformed(f"{where}: an integer from {least} to {most} is needed")
    return value
