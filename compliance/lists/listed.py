"""What is screened against: one version of every list, and the pairs that were judged false positives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from compliance.lists.entries import ListEntry
from contracts.terms.commitments import canonical_json, commitment
from contracts.terms.documents import to_document
from contracts.terms.parties import Party
from serving.jsontext import load


@dataclass(frozen=True)
class FalsePositive:
    """A party and an entry that two officers judged to be different. `tag` is the salted hash of the party, so that
    the pair names nobody; `expires` is chain time in seconds. It counts while the entry is the one they looked at."""

    reference: str
    entry_digest: str
    salt: bytes
    tag: bytes
    expires: int

    @property
    def digest(self) -> str:
        """What tells this pair from others, in hex; without the salt it tells nobody which it is."""
        octets = {name: value.hex() if isinstance(value, bytes) else value for name, value in vars(self).items()}
        return hashlib.sha256(canonical_json(octets)).hexdigest()

    def about(self, party: Party) -> bool:
        """Is it this party, all of it as they saw it?"""
        return party_tag(self.salt, party) == self.tag


@dataclass(frozen=True)
class Listed:
    """The lists in force together. `versions` are theirs by the name under which they are configured; of the false
    positives those count that were counted by the number `counted`."""

    versions: Mapping[str, str]
    entries: tuple[ListEntry, ...]
    false_positives: tuple[FalsePositive, ...] = ()
    counted: int = 0

    @cached_property
    def content(self) -> str:
        """What tells this version from others, as it is stored: it leads to all the rest."""
        return json.dumps({"false_positives": self.counted, "lists": dict(self.versions)}, sort_keys=True)

    @cached_property
    def version(self) -> str:
        """The SHA-256 of `content`, in hex."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def read_manifest(content: str) -> tuple[dict[str, str], int] | None:
    """The lists' versions and the number of false positives in a version's content; None for a version of before
    there were several lists, whose content is the list."""
    if not content.startswith("{"):
        return None
    manifest = load(content)
    return dict(manifest["lists"]), int(manifest["false_positives"])


def entry_digest(entry: ListEntry) -> str:
    """The SHA-256 of all that a list says of an entry, in hex."""
    return hashlib.sha256(canonical_json(asdict(entry))).hexdigest()


def party_tag(salt: bytes, party: Party) -> bytes:
    return commitment(salt, {"party": to_document(party)})
