"""Lists at the door."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from compliance.holds.schemas import NoteText
from compliance.lists.difference import ChangedEntry, Difference
from compliance.lists.entries import ListEntry
from compliance.lists.false_positives import LONGEST, Proposal
from compliance.lists.keeping import KeptList, ListKeeper
from compliance.lists.repository import Issue, Judgement
from contracts.terms.identifiers import uetr
from serving.bodies import Schema

MOST_SHOWN = 1000
"""Entries of a kind in a difference that are shown; the figures count all."""


class ListSourceView(Schema):
    list: str
    origin: str
    as_of: str = Field(description="date of the issue; empty where the file does not say it")
    entries: int


class KeptListView(Schema):
    """A configured list."""

    name: str
    version: str | None = Field(description="SHA-256 of its content in our own form; null when it was never loaded")
    entries: int
    left_out: int = Field(description="vessels, aircraft and other things that can be no party")
    age: int = Field(description="seconds since its source was known to have it")
    max_age: int = Field(description="seconds; 0 for a list that never ages")
    trouble: str = Field(description="why the last look at its source failed; empty when it did not")


class ListsView(Schema):
    version: str = Field(description="that of all lists together, as decisions name it")
    entries: int
    clearing: bool = Field(description="false when a list is missing or too old: then nothing is cleared")
    lists: tuple[KeptListView, ...]
    sources: tuple[ListSourceView, ...]


class ListIssueView(Schema):
    """A version of a list as it came. Times are seconds of the service's own clock."""

    sequence: int
    name: str
    version: str
    entries: int
    loaded_at: int
    fresh_at: int = Field(description="when its source was last known to have it")


class ListIssuesPage(Schema):
    issues: tuple[ListIssueView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


class EntryView(Schema):
    list: str
    entry_id: str
    kind: str
    category: str
    name: str
    aliases: tuple[str, ...]
    weak_aliases: tuple[str, ...]
    birth_dates: tuple[str, ...]
    nationalities: tuple[str, ...]


class ChangedEntryView(Schema):
    old: EntryView
    new: EntryView
    what: tuple[str, ...] = Field(description="what differs")


class DifferenceView(Schema):
    added: int
    removed: int
    changed: int
    added_entries: tuple[EntryView, ...] = Field(description=f"the first {MOST_SHOWN}; so with the next two")
    removed_entries: tuple[EntryView, ...]
    changed_entries: tuple[ChangedEntryView, ...]


class ProposalSchema(Schema):
    """That a party is not the listed one whom its name resembles."""

    uetr: Annotated[str, Field(description="a payment with the match"), AfterValidator(uetr)]
    side: Literal["debtor", "creditor", "provider"] = Field(description="the side whose decision has it")
    role: Literal["debtor", "creditor"] = Field(description="which party")
    list: str = Field(max_length=1000)
    entry_id: str = Field(max_length=1000)
    seconds: int = Field(ge=1, le=LONGEST, description="chain time for which it counts")
    note: NoteText

    def to_terms(self) -> Proposal:
        return Proposal(self.uetr, self.side, self.role, self.list, self.entry_id, self.seconds, self.note)


class FalsePositiveView(Schema):
    number: int
    entry: str = Field(description="the list and the entry's id")
    status: str = Field(description="proposed, approved or withdrawn")
    expires: int = Field(description="chain time in seconds")
    proposed_by: str
    proposed_at: int = Field(description="chain time in seconds")
    approved_by: str | None
    withdrawn_by: str | None


class FalsePositivesPage(Schema):
    false_positives: tuple[FalsePositiveView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


def lists_view(keeper: ListKeeper) -> ListsView:
    now, kept = keeper.now(), keeper.lists
    counted = Counter(entry.list_name for entry in keeper.listed.entries)
    sources = {source.list_name: source for each in kept if each.listed for source in each.listed.sources}
    return ListsView(
        version=keeper.listed.version,
        entries=len(keeper.listed.entries),
        clearing=not any(each.missing(now) for each in kept),
        lists=tuple(_kept_view(each, now) for each in kept),
        sources=tuple(
            ListSourceView(list=name, origin=each.origin, as_of=each.as_of, entries=counted[name])
            for name, each in sources.items()
        ),
    )


def _kept_view(kept: KeptList, now: int) -> KeptListView:
    listed = kept.listed
    return KeptListView(
        name=kept.configured.name,
        version=listed.version if listed else None,
        entries=len(listed.entries) if listed else 0,
        left_out=listed.left_out if listed else 0,
        age=now - kept.fresh_at if listed else 0,
        max_age=kept.configured.max_age,
        trouble=kept.trouble,
    )


def issue_view(issue: Issue, entries: int) -> ListIssueView:
    return ListIssueView(
        sequence=issue.sequence,
        name=issue.name,
        version=issue.version,
        entries=entries,
        loaded_at=issue.loaded_at,
        fresh_at=issue.fresh_at,
    )


def difference_view(found: Difference) -> DifferenceView:
    return DifferenceView(
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
        added_entries=tuple(map(_entry_view, found.added[:MOST_SHOWN])),
        removed_entries=tuple(map(_entry_view, found.removed[:MOST_SHOWN])),
        changed_entries=tuple(map(_changed_view, found.changed[:MOST_SHOWN])),
    )


def _changed_view(changed: ChangedEntry) -> ChangedEntryView:
    return ChangedEntryView(old=_entry_view(changed.old), new=_entry_view(changed.new), what=changed.what)


def _entry_view(entry: ListEntry) -> EntryView:
    return EntryView(
        list=entry.list_name,
        entry_id=entry.entry_id,
        kind=entry.kind,
        category=entry.category,
        name=entry.name,
        aliases=entry.aliases,
        weak_aliases=entry.weak_aliases,
        birth_dates=entry.birth_dates,
        nationalities=entry.nationalities,
    )


def judgement_view(judgement: Judgement) -> FalsePositiveView:
    withdrawn, approved = judgement.withdrawn_by, judgement.approved_by
    return FalsePositiveView(
        number=judgement.number,
        entry=judgement.pair.reference,
        status="withdrawn" if withdrawn else "approved" if approved else "proposed",
        expires=judgement.pair.expires,
        proposed_by=judgement.proposed_by,
        proposed_at=judgement.proposed_at,
        approved_by=approved,
        withdrawn_by=withdrawn,
    )
