"""HTTP in, HTTP out: a case with all that is around it, and what officers do about it beside deciding it."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from compliance.cases.schemas import AssignmentSchema, AttachmentSchema, CaseView, PrioritySchema, case_view
from compliance.cases.service import CasesService
from compliance.holds.endpoints import Officer, SidePath
from compliance.holds.schemas import NoteSchema
from compliance.schemas import UetrPath
from serving.auth import require
from serving.bodies import StrictRoute


def cases_router(cases: CasesService) -> APIRouter:
    """What compliance officers see and note. The officer is the token's subject."""
    router = APIRouter(prefix="/v1/holds", route_class=StrictRoute, tags=["officers"])

    @router.get("/{uetr}/{side}/case", dependencies=[Depends(require("compliance:officer"))])
    def case(uetr: UetrPath, side: SidePath) -> CaseView:
        """The hold, what officers did, the parties' other payments and their earlier cases."""
        return case_view(cases.file((uetr, side)))

    @router.post("/{uetr}/{side}/assignment")
    def assign(officer: Officer, uetr: UetrPath, side: SidePath, asked: AssignmentSchema) -> CaseView:
        """Give the case to an officer, or to nobody. Whoever is an officer may still decide it."""
        return case_view(cases.assign((uetr, side), officer.subject, asked.officer))

    @router.post("/{uetr}/{side}/priority")
    def prioritise(officer: Officer, uetr: UetrPath, side: SidePath, asked: PrioritySchema) -> CaseView:
        """Say how urgent it is."""
        return case_view(cases.prioritise((uetr, side), officer.subject, asked.priority))

    @router.post("/{uetr}/{side}/notes")
    def note(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> CaseView:
        """Write something down for the other officers."""
        return case_view(cases.note((uetr, side), officer.subject, asked.note))

    @router.post("/{uetr}/{side}/attachments")
    def attach(officer: Officer, uetr: UetrPath, side: SidePath, asked: AttachmentSchema) -> CaseView:
        """Note a document by its hash; the document itself stays where the institution keeps documents."""
        return case_view(cases.attach((uetr, side), officer.subject, asked.sha256, asked.size, asked.name))

    @router.post("/{uetr}/{side}/escalation")
    def escalate(officer: Officer, uetr: UetrPath, side: SidePath, asked: NoteSchema) -> CaseView:
        """Leave the decision to officers with the scope `compliance:lead`. It is not taken back."""
        return case_view(cases.escalate((uetr, side), officer.subject, asked.note))

    return router
