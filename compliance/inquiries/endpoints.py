"""HTTP in, HTTP out: what officers ask other institutions, and answer them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from compliance.endpoints import own_services
from compliance.holds.endpoints import Officer, SidePath
from compliance.holds.schemas import HoldView, hold_view
from compliance.inquiries import schemas
from compliance.inquiries.service import InquiriesService
from compliance.schemas import UetrPath
from contracts.terms.documents import to_document
from contracts.terms.identifiers import Address
from serving.auth import require
from serving.bodies import StrictRoute
from serving.peers import SignedRoute


def inquiries_router(inquiries: InquiriesService) -> APIRouter:
    """What compliance officers ask and answer. The officer is the token's subject."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["officers"])

    @router.post("/holds/{uetr}/{side}/inquiries")
    def ask(officer: Officer, uetr: UetrPath, side: SidePath, asked: schemas.QuestionSchema) -> HoldView:
        """Ask the other agent's officers. The outcome is request-information until they have answered."""
        return hold_view(inquiries.ask((uetr, side), officer.subject, asked.question))

    @router.get("/inquiries", dependencies=[Depends(require("compliance:officer"))])
    def received(
        answered: bool = False,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="next_cursor of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> schemas.ReceivedPage:
        """What other institutions' officers asked ours, the oldest first; those that wait for an answer, or those that
        have one."""
        found = inquiries.page(answered, cursor, limit + 1)
        more = found[limit - 1].place if len(found) > limit else None
        shown = tuple(map(schemas.received_view, found[:limit]))
        return schemas.ReceivedPage(inquiries=shown, next_cursor=more)

    @router.post("/inquiries/{inquiry}/answer")
    def answer(officer: Officer, inquiry: UUID, given: schemas.AnswerSchema) -> schemas.ReceivedView:
        """Answer an inquiry, once: the other institution reads it and logs it."""
        return schemas.received_view(inquiries.answer(str(inquiry), officer.subject, given.answer))

    return router


def inquiries_peer_router(account: Address, inquiries: InquiriesService) -> APIRouter:
    """What the own institution's node hands on from others."""
    only_own = [Depends(own_services(account))]
    router = APIRouter(prefix="/peer/v1", route_class=SignedRoute, tags=["own institution"], dependencies=only_own)

    @router.post("/inquiries", response_model=schemas.InquiryAnswers)
    def receive(asked: schemas.InquiriesSchema) -> JSONResponse:
        """Keep what another institution's officers ask, and say where each inquiry stands. Asking again is harmless."""
        answers = inquiries.receive(asked.asker, [each.to_terms() for each in asked.inquiries])
        return JSONResponse({"answers": [to_document(each) for each in answers]})

    return router
