"""Alerts about customers at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from compliance.alerts.repository import KnownAlert
from compliance.alerts.service import AlertFile, Closing
from compliance.cases.schemas import ActView
from compliance.holds.schemas import NoteText
from compliance.lists.false_positives import LONGEST
from compliance.lists.schemas import FalsePositiveView, judgement_view
from compliance.schemas import PartyOrNone
from serving.bodies import Schema


class ClosingSchema(Schema):
    """What an alert is."""

    outcome: Literal["true-match", "false-positive", "duplicate"]
    note: NoteText
    seconds: int = Field(
        default=LONGEST, ge=1, le=LONGEST, description="chain time for which a false positive counts; a year without"
    )
    duplicate_of: Annotated[int, Field(ge=1, le=2**62)] | None = Field(
        default=None, description="of a duplicate: the alert about the same party and entries"
    )

    def to_terms(self) -> Closing:
        return Closing(self.outcome, self.note, self.seconds, self.duplicate_of)


class AlertMatch(Schema):
    list: str
    entry_id: str
    name: str
    score: int
    reasons: tuple[str, ...]


class AlertView(Schema):
    """A party of an earlier decision who matches since the lists changed, and what officers made of it."""

    sequence: int
    uetr: str
    side: str
    role: str = Field(description="debtor or creditor: which party of that payment")
    payment_open: bool = Field(description="whether that payment was still under way")
    score: int
    matches: tuple[AlertMatch, ...]
    list_version: str
    made_at: int = Field(description="chain time in seconds")
    state: str = Field(description="open, proposed (as a false positive, for another officer to approve) or closed")
    outcome: str = Field(description="true-match, false-positive or duplicate; empty while it is open")
    assigned: str = Field(description="to which officer; empty while it is nobody's")
    proposed_by: str
    closed_by: str
    closed_at: int = Field(description="chain time in seconds; 0 until it is closed")


class AlertsPage(Schema):
    alerts: tuple[AlertView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


class AlertFileView(Schema):
    """An alert with all that is known around it."""

    alert: AlertView
    party: PartyOrNone
    acts: tuple[ActView, ...]
    false_positives: tuple[FalsePositiveView, ...] = Field(description="that were proposed from it and stand")


def alert_view(known: KnownAlert) -> AlertView:
    alert = known.alert
    return AlertView(
        sequence=known.sequence,
        uetr=alert.uetr,
        side=alert.side,
        role=alert.role,
        payment_open=alert.payment_open,
        score=alert.score,
        matches=tuple(map(_match, alert.matches)),
        list_version=alert.list_version,
        made_at=alert.made_at,
        state=known.state,
        outcome=known.outcome,
        assigned=known.assigned,
        proposed_by=known.proposed_by,
        closed_by=known.closed_by,
        closed_at=known.closed_at,
    )


def file_view(file: AlertFile) -> AlertFileView:
    written = {commitment: note.content for commitment, note in file.notes.items()}
    acts = (
        ActView(
            act=each.act,
            officer=each.officer,
            at=each.at,
            about=each.about,
            note=written.get(each.note) if each.note is not None else None,
        )
        for each in file.acts
    )
    return AlertFileView(
        alert=alert_view(file.known),
        party=file.party,
        acts=tuple(acts),
        false_positives=tuple(map(judgement_view, file.judged)),
    )


def _match(match: Mapping[str, Any]) -> AlertMatch:
    return AlertMatch(
        list=match["list_name"],
        entry_id=match["entry_id"],
        name=match["name"],
        score=match["score"],
        reasons=tuple(match["reasons"]),
    )
