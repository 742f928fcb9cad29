"""What one version of a list says and another does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from compliance.lists.entries import ListEntry


@dataclass(frozen=True)
class ChangedEntry:
    """An entry in both; `what` are the names of the fields that differ."""

    old: ListEntry
    new: ListEntry
    what: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    added: tuple[ListEntry, ...]
    removed: tuple[ListEntry, ...]
    changed: tuple[ChangedEntry, ...]


def difference(old: Sequence[ListEntry], new: Sequence[ListEntry]) -> Difference:
    """In the order of the lists; entries are the same one by their reference."""
    before, after = ({entry.reference: entry for entry in entries} for entries in (old, new))
    changed = (
        ChangedEntry(before[entry.reference], entry, _differing(before[entry.reference], entry))
        for entry in new
        if entry.reference in before and before[entry.reference] != entry
    )
    return Difference(
        added=tuple(entry for entry in new if entry.reference not in before),
        removed=tuple(entry for entry in old if entry.reference not in after),
        changed=tuple(changed),
    )


def _differing(old: ListEntry, new: ListEntry) -> tuple[str, ...]:
    return tuple(each.name for each in fields(old) if getattr(old, each.name) != getattr(new, each.name))
