"""HTTP in, HTTP out: what is counted."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from compliance.statistics.schemas import StatisticsView, statistics_view
from compliance.statistics.service import StatisticsService
from serving.auth import require
from serving.bodies import StrictRoute

DayQuery = Annotated[date | None, Query(description="a local day of the policy's zone, such as 2026-11-29")]


def statistics_router(statistics: StatisticsService) -> APIRouter:
    """What compliance officers count."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, tags=["officers"], dependencies=[Depends(require("compliance:read"))]
    )

    @router.get("/statistics")
    def counted(first: DayQuery = None, last: DayQuery = None) -> StatisticsView:
        """Alerts, false positives by rule and list, times to decision; of the last thirty days unless told."""
        return statistics_view(statistics.over(first, last))

    return router
