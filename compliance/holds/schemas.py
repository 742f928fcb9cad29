"""Holds at the door."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from compliance.cases.repository import PRIORITIES
from compliance.holds.service import Hold, HoldsPage
from compliance.schemas import MatchView, PartyOrNone, match_view
from compliance.screening.decide import CLEAR, REFUSE, REQUEST_INFORMATION, standing
from serving.bodies import Schema
from serving.documents import LegField

MAX_NOTE = 500

NoteText = Annotated[str, Field(max_length=MAX_NOTE, pattern=r"\S", description="why, in the officer's words")]


class NoteSchema(Schema):
    note: NoteText


class ReviewView(Schema):
    """What one officer did, with the matches that the officer saw: the party's role, the list, the entry's id."""

    officer: str
    action: str = Field(description="release or refuse; ask the other agent; answered by it")
    at: int = Field(description="chain time in seconds")
    entries: tuple[str, ...]
    note: str | None = Field(description="null when it was erased")


class HoldView(Schema):
    """A payment that was held, with all that an officer needs to decide."""

    uetr: str
    side: str
    attempt: int = Field(description="0, or more when the payment was priced anew")
    outcome: str = Field(
        description="hold, request-information until the other agent answers, or what officers made of it"
    )
    reason: str
    detail: str
    status: str = Field(description="in words: what must happen next, or what happened")
    officers_missing: int = Field(description="how many more officers must release it; 0 when it is decided")
    refusers_missing: int = Field(description="how many more officers must refuse it; 0 when it is decided")
    priority: str = Field(description=f"one of {', '.join(PRIORITIES)}")
    assigned: str = Field(description="to which officer; empty while it is nobody's")
    escalated: bool = Field(description="whether leads alone decide it")
    score: int = Field(description="that of the best match, 0 to 1000")
    matches: tuple[MatchView, ...]
    debtor: PartyOrNone
    creditor: PartyOrNone
    debtor_agent: str
    creditor_agent: str
    legs: tuple[LegField, ...]
    asked_at: int = Field(description="chain time in seconds")
    hold_until: int = Field(description="chain time in seconds at which the payment ends; 0 when it is decided")
    reviews: tuple[ReviewView, ...]
    policy_version: str
    list_version: str


class HoldsView(Schema):
    holds: tuple[HoldView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


def holds_view(page: HoldsPage) -> HoldsView:
    return HoldsView(holds=tuple(map(hold_view, page.holds)), next_cursor=page.next_after)


def hold_view(hold: Hold) -> HoldView:
    decided = hold.decided
    question, verdict, facts = decided.inputs.screening, decided.verdict, decided.inputs.facts
    return HoldView(
        uetr=question.uetr,
        side=question.side,
        attempt=question.attempt,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        status=_status(hold),
        officers_missing=hold.officers_missing,
        refusers_missing=hold.refusers_missing,
        priority=PRIORITIES[hold.case.priority],
        assigned=hold.case.assigned,
        escalated=hold.case.escalated,
        score=verdict.score,
        matches=tuple(map(match_view, verdict.matches)),
        debtor=question.debtor,
        creditor=question.creditor,
        debtor_agent=question.debtor_agent,
        creditor_agent=question.creditor_agent,
        legs=question.legs,
        asked_at=facts.asked_at,
        hold_until=decided.hold_until,
        reviews=_reviews(hold),
        policy_version=decided.versions.policy,
        list_version=decided.versions.lists,
    )


def _reviews(hold: Hold) -> tuple[ReviewView, ...]:
    return tuple(
        ReviewView(
            officer=review.officer,
            action=review.action,
            at=review.at,
            entries=review.entries,
            note=hold.notes[review.note].content if review.note in hold.notes else None,
        )
        for review in hold.decided.inputs.facts.reviews
    )


def _status(hold: Hold) -> str:
    verdict = hold.decided.verdict
    if not verdict.waits:
        return "released: the payment goes on" if verdict.outcome == CLEAR else "refused: the payment ends"
    if hold.ended:
        return "the hold has ended, and the payment with it"
    release, refuse = _officers(hold.officers_missing), _officers(hold.refusers_missing)
    asked = "; the other agent was asked" if verdict.outcome == REQUEST_INFORMATION else ""
    if standing(hold.decided.inputs.facts.reviews, REFUSE):
        return f"held: {refuse} must refuse it; nobody releases it while one who refused does not{asked}"
    return f"held: {release} must release it, or {refuse} refuse it{asked}"


def _officers(missing: int) -> str:
    return "one more officer" if missing == 1 else f"{missing} different officers"
