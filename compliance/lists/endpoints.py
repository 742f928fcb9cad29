"""HTTP in, HTTP out: lists, what differs between their versions, and false positives."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from compliance.lists.false_positives import FalsePositivesService
from compliance.lists.keeping import ListKeeper
from compliance.lists.schemas import (
    DifferenceView,
    FalsePositivesPage,
    FalsePositiveView,
    ListIssuesPage,
    ListsView,
    ProposalSchema,
    difference_view,
    issue_view,
    judgement_view,
    lists_view,
)
from compliance.lists.service import ListsService
from compliance.officers import officer
from serving.auth import Caller, require
from serving.bodies import StrictRoute

Before = Annotated[int | None, Query(ge=1, le=2**62, description="next_cursor of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]
Officer = Annotated[Caller, Depends(officer("compliance:officer"))]
VersionPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="a version of a list, 64 hex digits")]
Number = Annotated[int, Path(ge=1, le=2**62, description="the false positive's number")]


def lists_router(keeper: ListKeeper, lists: ListsService) -> APIRouter:
    """What compliance officers read of lists."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, tags=["lists"], dependencies=[Depends(require("compliance:read"))]
    )

    @router.get("/lists")
    def current_lists() -> ListsView:
        """The lists in force, how old they are, and whether payments are cleared by them."""
        return lists_view(keeper)

    @router.get("/lists/issues")
    def issues(cursor: Before = None, limit: Limit = 50) -> ListIssuesPage:
        """Every version of every list that ever came, newest first."""
        found = lists.issues(cursor, limit + 1)
        more = found[limit - 1][0].sequence if len(found) > limit else None
        return ListIssuesPage(issues=tuple(issue_view(*each) for each in found[:limit]), next_cursor=more)

    @router.get("/lists/differences/{old}/{new}")
    def differences(old: VersionPath, new: VersionPath) -> DifferenceView:
        """What was added, removed and changed between two versions of a list."""
        return difference_view(lists.difference(old, new))

    return router


def judging_router(keeper: ListKeeper, judging: FalsePositivesService) -> APIRouter:
    """What compliance officers do about lists. The officer is the token's subject."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["lists"])

    @router.post("/lists/look")
    def look(officer: Officer) -> ListsView:
        """Look at all sources now, and put in force what they have."""
        keeper.look(everything=True)
        return lists_view(keeper)

    @router.get("/false-positives")
    def false_positives(
        officer: Officer,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="next_cursor of the page before")] = 0,
        limit: Limit = 50,
    ) -> FalsePositivesPage:
        """Pairs of a party and an entry that officers judged to be different, in the order of their proposals."""
        found = judging.page(cursor, limit + 1)
        more = found[limit - 1].number if len(found) > limit else None
        return FalsePositivesPage(false_positives=tuple(map(judgement_view, found[:limit])), next_cursor=more)

    @router.post("/false-positives", status_code=201)
    def propose(officer: Officer, asked: ProposalSchema) -> FalsePositiveView:
        """Propose one. It counts once another officer has approved it, until it expires or the entry changes."""
        return judgement_view(judging.propose(asked.to_terms(), officer.subject))

    @router.post("/false-positives/{number}/approve")
    def approve(officer: Officer, number: Number) -> FalsePositiveView:
        """Approve what another officer proposed."""
        return judgement_view(judging.approve(number, officer.subject))

    @router.post("/false-positives/{number}/withdraw")
    def withdraw(officer: Officer, number: Number) -> FalsePositiveView:
        """From now on it counts no more; one officer is enough."""
        return judgement_view(judging.withdraw(number, officer.subject))

    return router
