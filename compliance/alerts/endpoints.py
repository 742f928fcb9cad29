"""HTTP in, HTTP out: customers who match since a list changed, and what officers say that each is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from compliance.alerts.repository import AlertFilter
from compliance.alerts.schemas import AlertFileView, AlertsPage, ClosingSchema, alert_view, file_view
from compliance.alerts.service import AlertsService
from compliance.cases.schemas import AssignmentSchema
from compliance.holds.endpoints import NOBODY, Officer
from compliance.holds.schemas import NoteSchema
from serving.auth import require
from serving.bodies import StrictRoute

AlertNumber = Annotated[int, Path(ge=1, le=2**62, description="the alert's sequence")]


async def alert_filter(
    state: Literal["open", "proposed", "closed"] | None = None,
    outcome: Literal["true-match", "false-positive", "duplicate"] | None = None,
    list_name: Annotated[str | None, Query(alias="list", max_length=80, description="a match on this list")] = None,
    payment_open: Annotated[bool | None, Query(description="whether the payment was under way")] = None,
    assigned: Annotated[str | None, Query(max_length=64, description=f"to this officer; {NOBODY} for nobody's")] = None,
) -> AlertFilter:
    """A dependency: which alerts are wanted."""
    return AlertFilter(
        state=state,
        outcome=outcome,
        list_name=list_name,
        payment_open=payment_open,
        assigned="" if assigned == NOBODY else assigned,
    )


def alerts_router(alerts: AlertsService) -> APIRouter:
    """What compliance officers see and say. The officer is the token's subject."""
    router = APIRouter(prefix="/v1/alerts", route_class=StrictRoute, tags=["officers"])

    @router.get("", dependencies=[Depends(require("compliance:read"))])
    def page(
        wanted: Annotated[AlertFilter, Depends(alert_filter)],
        cursor: Annotated[int | None, Query(ge=1, le=2**62, description="next_cursor of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> AlertsPage:
        """Existing customers, and parties of open payments, who match since the lists changed; newest first."""
        found = alerts.page(cursor, wanted, limit + 1)
        more = found[limit - 1].sequence if len(found) > limit else None
        return AlertsPage(alerts=tuple(map(alert_view, found[:limit])), next_cursor=more)

    @router.get("/{alert}", dependencies=[Depends(require("compliance:officer"))])
    def one(alert: AlertNumber) -> AlertFileView:
        """An alert, whom it is about, and what officers did."""
        return file_view(alerts.file(alert))

    @router.post("/{alert}/assignment")
    def assign(officer: Officer, alert: AlertNumber, asked: AssignmentSchema) -> AlertFileView:
        """Give it to an officer, or to nobody. Whoever is an officer may still close it."""
        return file_view(alerts.assign(alert, officer.subject, asked.officer))

    @router.post("/{alert}/close")
    def close(officer: Officer, alert: AlertNumber, asked: ClosingSchema) -> AlertFileView:
        """Say what it is. A false positive is closed once another officer has approved it."""
        return file_view(alerts.close(alert, officer.subject, asked.to_terms()))

    @router.post("/{alert}/approve")
    def approve(officer: Officer, alert: AlertNumber, asked: NoteSchema) -> AlertFileView:
        """Agree that it is a false positive: the party and the entries count as different from now on."""
        return file_view(alerts.approve(alert, officer.subject, asked.note))

    @router.post("/{alert}/reject")
    def reject(officer: Officer, alert: AlertNumber, asked: NoteSchema) -> AlertFileView:
        """It is no false positive, or not yet: it is open again."""
        return file_view(alerts.reject(alert, officer.subject, asked.note))

    return router
