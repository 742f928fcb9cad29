"""Which lists an institution screens against, from where, and how old each may become: one TOML file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from compliance.lists.entries import CATEGORIES
from contracts.terms.errors import Malformed

BESIDE = "beside"
"""A checksum that stands at the list's own URL with .sha256 behind it."""

_KEYS = {"source", "category", "sha256", "refresh_seconds", "max_age_seconds", "least_entries"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HOUR, _TWO_DAYS, _TEN_YEARS = 3600, 2 * 86400, 3653 * 86400
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ConfiguredList:
    """A list to keep. `source` is an https URL or a path; `category` that of all its entries, empty for what the list
    itself says; `sha256` that of its bytes, BESIDE or empty; `max_age` in seconds, 0 for a list that never ages."""

    name: str
    source: str | Path
    category: str = ""
    sha256: str = ""
    refresh: int = _HOUR
    max_age: int = 0
    least_entries: int = 1

    @property
    def remote(self) -> bool:
        return isinstance(self.source, str)


def load_catalogue(path: Path) -> tuple[ConfiguredList, ...]:
    """The lists that a setting names: those of a TOML file, or a list's own file or folder. Raises Malformed in one
    line that names the file and the entry."""
    if path.suffix != ".toml":
        return (ConfiguredList("list", path),)
    try:
        return read_catalogue(path.read_bytes().decode("utf-8"), path.parent)
    except (OSError, UnicodeDecodeError) as failure:
        raise Malformed(f"lists {path}: {failure}") from failure
    except Malformed as failure:
        raise Malformed(f"lists {path}: {failure.detail}") from failure


def read_catalogue(content: str, folder: Path) -> tuple[ConfiguredList, ...]:
    """The lists in a catalogue's text; paths in it are relative to `folder`. Raises Malformed."""
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as failure:
        raise Malformed(f"not TOML: {failure}") from failure
    named = document.get("lists")
    if document.keys() != {"lists"} or not isinstance(named, dict) or not named:
        raise Malformed("a section for each list is needed, such as [lists.ofac], and no others")
    return tuple(_configured(name, section, folder) for name, section in named.items())


def _configured(name: str, section: Any, folder: Path) -> ConfiguredList:
    where = f"lists.{name[:40]}"
    if not _NAME.fullmatch(name):
        raise Malformed(f"{where}: a name has up to 40 small letters, digits and hyphens")
    if not isinstance(section, dict) or not {"source"} <= section.keys() <= _KEYS:
        raise Malformed(f"{where}: source is needed; {', '.join(sorted(_KEYS - {'source'}))} may be said; no others")
    source = _source(section["source"], folder, f"{where}.source")
    remote = isinstance(source, str)
    return ConfiguredList(
        name=name,
        source=source,
        category=_category(section.get("category", ""), f"{where}.category"),
        sha256=_checksum(section.get("sha256", ""), remote, f"{where}.sha256"),
        refresh=_integer(section.get("refresh_seconds", _HOUR), f"{where}.refresh_seconds", 1),
        max_age=_integer(section.get("max_age_seconds", _TWO_DAYS if remote else 0), f"{where}.max_age_seconds", 0),
        least_entries=_integer(section.get("least_entries", 1), f"{where}.least_entries", 1),
    )


def _source(value: Any, folder: Path, where: str) -> str | Path:
    if not isinstance(value, str) or not value:
        raise Malformed(f"{where}: a file, a folder or an https URL")
    if "://" not in value:
        return folder / value
    try:
        url = urlsplit(value)
        secure = url.scheme == "https" or (url.scheme, url.hostname) in _LOCAL
        if url.hostname and not url.username and secure and url.port != 0:
            return value
    except ValueError:  # no URL at all
        pass
    raise Malformed(f"{where}: only https is taken, without a password (http from this machine alone)")


_LOCAL = {("http", host) for host in _LOOPBACK}


def _category(value: Any, where: str) -> str:
    if value not in ("", *CATEGORIES):
        raise Malformed(f"{where}: one of {', '.join(CATEGORIES)}")
    return str(value)


def _checksum(value: Any, remote: bool, where: str) -> str:
    if value and not (isinstance(value, str) and (_SHA256.fullmatch(value) or (remote and value == BESIDE))):
        raise Malformed(f"{where}: 64 hex digits, or {BESIDE!r} for a URL with .sha256 behind it")
    return str(value)


def _integer(value: Any, where: str, least: int) -> int:
    if type(value) is not int or not least <= value <= _TEN_YEARS:
        raise Malformed(f"{where}: an integer from {least} to {_TEN_YEARS} is needed")
    return value
