"""Inquiries at the door."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from compliance.client import MAX_INQUIRIES, MAX_TEXT, Inquiry
from compliance.inquiries.service import ReceivedInquiry
from compliance.schemas import PartyOrNone
from serving.bodies import Schema

LongText = Annotated[str, Field(max_length=MAX_TEXT, pattern=r"\S")]


class QuestionSchema(Schema):
    question: LongText


class AnswerSchema(Schema):
    answer: LongText


class InquirySchema(Schema):
    """Contents are checked item by item, so that one bad item spoils no other."""

    id: str
    uetr: str
    side: str
    party: PartyOrNone
    question: str

    def to_terms(self) -> Inquiry:
        return Inquiry(self.id, self.uetr, self.side, self.party, self.question)


class InquiriesSchema(Schema):
    asker: Annotated[str, Field(pattern="^0x[0-9a-f]{40}$", description="whose signature the node checked")]
    inquiries: list[InquirySchema] = Field(max_length=MAX_INQUIRIES)


class InquiryAnswerItem(Schema):
    id: str
    state: str = Field(description="open, answered or refused")
    text: str


class InquiryAnswers(Schema):
    answers: list[InquiryAnswerItem]


class ReceivedView(Schema):
    """What another institution's officers asked ours."""

    id: str
    uetr: str
    side: str = Field(description="the side on which our institution stands")
    peer: str
    question: str | None = Field(description="null when it was erased")
    party: PartyOrNone = Field(description="who is asked about, as the asker knows it")
    asked_at: int = Field(description="chain time in seconds")
    answer: str | None
    answered_at: int = Field(description="chain time in seconds; 0 until it was answered")


class ReceivedPage(Schema):
    inquiries: tuple[ReceivedView, ...]
    next_cursor: int | None = Field(description="ask with cursor=<this> for the next page; null at the end")


def received_view(found: ReceivedInquiry) -> ReceivedView:
    inquiry = found.inquiry
    return ReceivedView(
        id=inquiry.id,
        uetr=inquiry.uetr,
        side=inquiry.side,
        peer=inquiry.peer,
        question=found.question,
        party=found.party,
        asked_at=inquiry.asked_at,
        answer=found.answer,
        answered_at=inquiry.answered_at,
    )
