"""HTTP in, HTTP out: the institution's own node asks at `/peer`, officers and auditors at `/v1`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from compliance import schemas
from compliance.attesting import AttestationService
from compliance.client import Outcome
from compliance.policy import Policy
from compliance.screening.service import ScreeningService
from compliance.service import DecisionsService
from contracts.terms.documents import to_document
from contracts.terms.errors import Forbidden
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant
from serving.auth import require
from serving.bodies import StrictRoute
from serving.peers import SignedRoute, sender


def own_services(account: Address) -> Callable[..., Awaitable[None]]:
    """A dependency: the caller signs with the message key of the own institution."""

    async def own_institution(caller: Annotated[Participant, Depends(sender)]) -> None:
        if caller.account != account:
            raise Forbidden("only the institution's own services may ask its compliance")

    return own_institution


def peer_router(account: Address, screening: ScreeningService, attesting: AttestationService) -> APIRouter:
    """What only the own institution's services may ask, signed with its message key."""
    only_own = [Depends(own_services(account))]
    router = APIRouter(prefix="/peer/v1", route_class=SignedRoute, tags=["own institution"], dependencies=only_own)

    @router.post("/screenings", response_model=schemas.DecisionItems)
    def screen(asked: schemas.Screenings) -> JSONResponse:
        """Decide on each payment: clear, hold or refuse. Asking again gives the same decision."""
        answers = screening.screen([each.to_terms() for each in asked.screenings])
        return JSONResponse({"decisions": [schemas.decision_item(answer) for answer in answers]})

    @router.post("/attestations", response_model=schemas.AttestationItems)
    def attest(asked: schemas.AttestationRequests) -> JSONResponse:
        """Attest to each batch in which every own payment was screened and is clear."""
        answers = attesting.attest([each.to_terms() for each in asked.requests])
        return JSONResponse({"attestations": [to_document(answer) for answer in answers]})

    return router


def officer_router(decisions: DecisionsService, policy: Policy) -> APIRouter:
    """What compliance officers read."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, tags=["officers"], dependencies=[Depends(require("compliance:read"))]
    )

    @router.get("/decisions")
    def list_decisions(
        outcome: Outcome | None = None,
        cursor: Annotated[int | None, Query(ge=1, le=2**62, description="next_cursor of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> schemas.DecisionsPage:
        """Decisions, newest first, also those that officers have changed since."""
        page = decisions.page(outcome, cursor, limit)
        found = tuple(schemas.summary(sequence, decided) for sequence, decided in page.decisions)
        return schemas.DecisionsPage(decisions=found, next_cursor=page.next_before)

    @router.get("/decisions/{uetr}")
    def payment_decisions(uetr: schemas.UetrPath) -> schemas.DecisionViews:
        """Everything about the decisions on one payment, in their order, of each side the institution stood on."""
        return schemas.DecisionViews(decisions=tuple(map(schemas.view, decisions.of_payment(uetr))))

    @router.get("/policy")
    def current_policy() -> schemas.PolicyView:
        """The policy in force."""
        return schemas.PolicyView(version=policy.version, content=policy.content)

    return router


def auditor_router(decisions: DecisionsService) -> APIRouter:
    """What auditors read."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, tags=["auditors"], dependencies=[Depends(require("audit"))]
    )

    @router.get("/openings/{uetr}")
    def openings(uetr: schemas.UetrPath) -> schemas.Openings:
        """The party, the record and the salts that open each decision's commitments; the last of a side stands in the
        payment's terms."""
        found = tuple(map(schemas.opening, decisions.of_payment(uetr)))
        return schemas.Openings(uetr=uetr, openings=found)

    return router
