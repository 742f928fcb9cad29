"""HTTP in, HTTP out: the officers' queue of holds, and what they do about each."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from compliance.holds.schemas import HoldsView, HoldView, NoteSchema, hold_view, holds_view
from compliance.holds.service import HoldsService
from compliance.schemas import UetrPath
from compliance.screening.decide import REFUSE, RELEASE
from serving.auth import Caller, require
from serving.bodies import StrictRoute

SidePath = Annotated[
    Literal["debtor", "creditor", "provider"], Path(description="the side on which the institution stands")
]
Officer = Annotated[Caller, Depends(require("compliance:officer"))]


def holds_router(holds: HoldsService) -> APIRouter:
    """What compliance officers do. The officer is the token's subject."""
    router = APIRouter(prefix="/v1/holds", route_class=StrictRoute, tags=["officers"])

    @router.get("")
    def queue(
        officer: Officer,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="next_cursor of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> HoldsView:
        """The held payments that wait for officers, the oldest first."""
        return holds_view(holds.page(cursor, limit))

    @router.get("/{uetr}/{side}")
    def one(officer: Officer, uetr: UetrPath, side: SidePath) -> HoldView:
        """A hold and what became of it."""
        return hold_view(holds.one((uetr, side)))

    @router.post("/{uetr}/{side}/release")
    def release(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> HoldView:
        """Release it. It is clear once two different officers have; the same one again changes nothing."""
        return hold_view(holds.review((uetr, side), officer.subject, RELEASE, asked.note))

    @router.post("/{uetr}/{side}/refuse")
    def refuse(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> HoldView:
        """Refuse it, for good; one officer is enough."""
        return hold_view(holds.review((uetr, side), officer.subject, REFUSE, asked.note))

    return router
