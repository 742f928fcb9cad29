"""Getting a list from where it is configured to be: whole and with the right checksum, or not at all."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from compliance.lists.catalogue import BESIDE, ConfiguredList
from compliance.lists.entries import SanctionsList
from compliance.lists.formats.draft import ListFile, Parsed
from compliance.lists.formats.own_csv import write
from compliance.lists.loader import MOST_OCTETS, files_at, read_files
from contracts.terms.errors import Malformed, Unavailable

_PATIENCE = httpx2.Timeout(30, connect=10)
_LONGEST_DOWNLOAD = 600.0
"""Seconds for all of it; the others are for one silence."""


@dataclass(frozen=True)
class Copy:
    """A source's files as they were found. `digest` tells another copy from it; `fresh_at` is the second (of the
    machine's clock) from which its age counts: when a URL was asked, when a file was last changed."""

    files: tuple[ListFile, ...]
    digest: str
    fresh_at: int


def take_copy(configured: ConfiguredList, now: int) -> Copy:
    """What stands at a source now. Raises Malformed, or Unavailable for a URL that does not answer."""
    try:
        if isinstance(configured.source, Path):
            files, fresh_at = files_at(configured.source)
        else:
            files, fresh_at = [_download(configured.source)], now
    except OSError as failure:
        raise Malformed(f"list {configured.source}: {failure}") from failure
    except Malformed as failure:
        raise Malformed(f"list {configured.source}: {failure.detail}") from failure
    _check_sum(configured, files)
    whole = hashlib.sha256(configured.category.encode())
    for file in files:
        whole.update(hashlib.sha256(file.name.encode()).digest() + hashlib.sha256(file.content).digest())
    return Copy(tuple(files), whole.hexdigest(), fresh_at)


def read_copy(configured: ConfiguredList, copy: Copy) -> SanctionsList:
    """The list in a copy, its entries of the configured category. Raises Malformed."""
    try:
        listed = read_files(copy.files)
        if len(listed.entries) < configured.least_entries:
            raise Malformed(f"it has {len(listed.entries)} entries, fewer than least_entries: a part is missing")
    except Malformed as failure:
        raise Malformed(f"list {configured.source}: {failure.detail}") from failure
    return _as(configured.category, listed)


def _as(category: str, listed: SanctionsList) -> SanctionsList:
    if not category or all(entry.category == category for entry in listed.entries):
        return listed
    entries = tuple(replace(entry, category=category) for entry in listed.entries)
    content = write(Parsed(entries, listed.sources))
    version = hashlib.sha256(content.encode()).hexdigest()
    return replace(listed, version=version, content=content, entries=entries)


def _check_sum(configured: ConfiguredList, files: list[ListFile]) -> None:
    """A folder's checksum is none: `sha256` is of one file's bytes."""
    if not configured.sha256:
        return
    expected = configured.sha256
    if expected == BESIDE:
        expected = _download(f"{configured.source}.sha256").content.decode("ascii", "replace").split(" ")[0].strip()
    if len(files) != 1 or hashlib.sha256(files[0].content).hexdigest() != expected.lower():
        raise Malformed(f"list {configured.source}: its SHA-256 is not the one that sha256 names: not taken")


def _download(url: str) -> ListFile:
    """Raises Unavailable, and Malformed for what is too long or was redirected away from https."""
    ends = time.monotonic() + _LONGEST_DOWNLOAD
    try:
        with httpx2.stream("GET", url, timeout=_PATIENCE, follow_redirects=True) as answer:
            answer.raise_for_status()
            if urlsplit(url).scheme == "https" and answer.url.scheme != "https":
                raise Malformed("it was redirected away from https")
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if len(content) > MOST_OCTETS:
                    raise Malformed(f"it is longer than {MOST_OCTETS >> 20} MiB")
                if time.monotonic() > ends:
                    raise Unavailable(f"list {url}: not whole after {_LONGEST_DOWNLOAD:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
        raise Unavailable(f"list {url}: {str(failure) or type(failure).__name__}") from failure
    return ListFile(urlsplit(url).path.rpartition("/")[2] or "list", bytes(content))
