"""HTTP in, HTTP out: the officers' queue of holds, and what they decide about each."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from compliance.cases.repository import PRIORITIES, Filter
from compliance.holds.schemas import HoldsView, HoldView, NoteSchema, hold_view, holds_view
from compliance.holds.service import HoldsService
from compliance.officers import officer
from compliance.schemas import UetrPath
from compliance.screening.decide import REFUSE, RELEASE
from serving.auth import Caller, require
from serving.bodies import StrictRoute

SidePath = Annotated[
    Literal["debtor", "creditor", "provider"], Path(description="the side on which the institution stands")
]
PriorityName = Literal["low", "normal", "high", "urgent"]
Officer = Annotated[Caller, Depends(officer("compliance:officer"))]
LEAD = "compliance:lead"
"""The scope of an officer who decides what others escalated."""
NOBODY = "-"


async def queue_filter(
    priority: Annotated[PriorityName | None, Query(description="at least so urgent")] = None,
    assigned: Annotated[str | None, Query(max_length=64, description=f"to this officer; {NOBODY} for nobody's")] = None,
    escalated: bool | None = None,
    due_before: Annotated[int | None, Query(ge=0, le=2**62, description="chain time in seconds")] = None,
    list_name: Annotated[str | None, Query(alias="list", max_length=80, description="a match on this list")] = None,
    outcome: Literal["hold", "request-information"] | None = None,
) -> Filter:
    """A dependency: which cases of the queue are wanted."""
    return Filter(
        least_priority=PRIORITIES.index(priority) if priority else 0,
        assigned="" if assigned == NOBODY else assigned,
        escalated=escalated,
        due_before=due_before,
        list_name=list_name,
        outcome=outcome,
    )


def holds_router(holds: HoldsService) -> APIRouter:
    """What compliance officers decide. The officer is the token's subject."""
    router = APIRouter(prefix="/v1/holds", route_class=StrictRoute, tags=["officers"])

    @router.get("", dependencies=[Depends(require("compliance:officer"))])
    def queue(
        wanted: Annotated[Filter, Depends(queue_filter)],
        cursor: Annotated[int, Query(ge=0, le=2**62, description="next_cursor of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> HoldsView:
        """The held payments that wait for officers, the oldest first, which are the first due."""
        return holds_view(holds.page(cursor, limit, wanted))

    @router.get("/{uetr}/{side}", dependencies=[Depends(require("compliance:officer"))])
    def one(uetr: UetrPath, side: SidePath) -> HoldView:
        """A hold and what became of it."""
        return hold_view(holds.one((uetr, side)))

    @router.post("/{uetr}/{side}/release")
    def release(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> HoldView:
        """Release it. It is clear once two different officers have; the same one again changes nothing."""
        return hold_view(holds.review((uetr, side), officer.subject, RELEASE, asked.note, LEAD in officer.scopes))

    @router.post("/{uetr}/{side}/refuse")
    def refuse(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> HoldView:
        """Refuse it. It is refused for good once as many different officers have as the policy says."""
        return hold_view(holds.review((uetr, side), officer.subject, REFUSE, asked.note, LEAD in officer.scopes))

    return router
