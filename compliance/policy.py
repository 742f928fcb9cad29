"""The policy: what is refused, what is held, and the limits. One TOML file; other content is another version."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.names.match import LEAST_SCORE, SAME_WORDS
from contracts.terms.errors import FeiqianError, Malformed
from contracts.terms.money import currency, payable

SHIPPED_POLICY = Path(__file__).parent / "policy.toml"

_SECTIONS = {"names": {"refuse", "hold"}, "holds": {"seconds"}, "countries": {"blocked"}}
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_LONGEST_HOLD = 31 * 86400


@dataclass(frozen=True)
class Limits:
    """The most that may move in one payment, and from one debtor account in one chain day (UTC); minor units."""

    payment: int
    day: int


@dataclass(frozen=True)
class Policy:
    """`refuse_score` and `hold_score` in thousandths, `hold_seconds` of chain time, `limits` by ISO 4217 numeric code.

    `version` is the SHA-256 of `content`, in hex.
    """

    version: str
    content: str
    refuse_score: int
    hold_score: int
    hold_seconds: int
    blocked_countries: frozenset[str]
    limits: Mapping[int, Limits]


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
    if document.keys() != _SECTIONS.keys() | {"limits"}:
        raise Malformed(f"the sections are {', '.join(_SECTIONS)} and limits, no others")
    for section, names in _SECTIONS.items():
        _require_names(document[section], names, section)
    names = document["names"]
    refuse = _integer(names["refuse"], "names.refuse", LEAST_SCORE, SAME_WORDS)
    return Policy(
        version=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        refuse_score=refuse,
        hold_score=_integer(names["hold"], "names.hold", LEAST_SCORE, refuse),
        hold_seconds=_integer(document["holds"]["seconds"], "holds.seconds", 1, _LONGEST_HOLD),
        blocked_countries=_countries(document["countries"]["blocked"]),
        limits=_limits(document["limits"]),
    )


def _limits(section: Any) -> Mapping[int, Limits]:
    if not isinstance(section, dict) or not section:
        raise Malformed("limits: a section for each currency is needed, such as [limits.THB]")
    found = {}
    for code, entry in section.items():
        where = f"limits.{code[:20]}"
        _require_names(entry, {"payment", "day"}, where)
        day = _amount(entry["day"], f"{where}.day")
        try:
            unit = currency(code)
        except FeiqianError as failure:
            raise Malformed(f"{where}: {failure.detail}") from failure
        found[unit.numeric] = Limits(_amount(entry["payment"], f"{where}.payment"), day)
    return found


def _countries(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and _COUNTRY.fullmatch(each) for each in value):
        raise Malformed("countries.blocked: a list of ISO 3166-1 codes of two capital letters is needed")
    return frozenset(value)


def _require_names(section: Any, names: set[str], where: str) -> None:
    if not isinstance(section, dict) or section.keys() != names:
        raise Malformed(f"{where}: exactly {', '.join(sorted(names))} are needed")


def _integer(value: Any, where: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Malformed(f"{where}: an integer from {least} to {most} is needed")
    return value


def _amount(value: Any, where: str) -> int:
    if type(value) is not int:
        raise Malformed(f"{where}: an integer of minor units is needed")
    try:
        return payable(value)
    except FeiqianError as failure:
        raise Malformed(f"{where}: {failure.detail}") from failure
