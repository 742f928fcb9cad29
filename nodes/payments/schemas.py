"""Payments at the door."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Query
from pydantic import Field
from sqlalchemy import Row

from contracts.terms.errors import FeiqianError
from contracts.terms.payment import State
from nodes.payments.record import PaymentRecord
from serving.bodies import ProblemBody, Schema
from serving.idempotency import Answer

Cursor = Annotated[str, Query(max_length=100, description="`next` of the page before; empty: from the newest on")]
_EVENT_ID = "^[0-9]{1,18}$"
After = Annotated[str | None, Query(pattern=_EVENT_ID, description="the id of an event; 0: from the beginning")]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern=_EVENT_ID, description="as `after`, and before it")
]
NextCursor = Field(description="send it as `cursor` for the page behind this one; null: there is none")


class PayBody(Schema):
    quote_id: str = Field(min_length=1, max_length=64, description="from POST /v1/quotes")
    tolerance_basis_points: int = Field(
        default=100, ge=0, le=1000, description="how much more a payment that was held may cost when it is released"
    )


class AcceptedBody(Schema):
    """The answer that the same Idempotency-Key gives for ever."""

    uetr: str
    status: str
    iso20022: str


class OrderBody(PayBody):
    idempotency_key: str = Field(max_length=200, description="as the header Idempotency-Key of a single payment")


class BulkBody(Schema):
    payments: list[OrderBody] = Field(min_length=1, max_length=1000)


class BulkAnswerBody(Schema):
    """What `POST /v1/payments` would have answered to this payment alone: one of the two."""

    idempotency_key: str
    accepted: AcceptedBody | None = None
    problem: ProblemBody | None = Field(
        default=None, description="refused for ever under this key; status 503 is no answer: send it again"
    )

    @classmethod
    def of(cls, key: str, answer: Answer | FeiqianError) -> BulkAnswerBody:
        if isinstance(answer, FeiqianError):
            return cls(idempotency_key=key, problem=ProblemBody.of(answer))
        return cls(idempotency_key=key, accepted=AcceptedBody(**answer))


class BulkAnswersBody(Schema):
    answers: list[BulkAnswerBody] = Field(description="one for each payment, in their order")


class EventBody(Schema):
    event: str
    state: str
    detail: str
    at: int = Field(description="milliseconds since 1970, by the institution's clock")


class PaymentBody(Schema):
    """Where a payment stands. Amounts are minor units."""

    uetr: str
    status: State
    final: bool
    iso20022: str = Field(description="ISO 20022 payment transaction status")
    reason: str = Field(description="ISO 20022 status reason code, empty unless it was refused, expired or cancelled")
    detail: str
    merchant: str
    source_currency: str
    source_amount: str
    fee: str
    target_currency: str
    target_amount: str
    deadline: int = Field(description="chain time in seconds; not settled by then, it is certainly unsettled")
    accepted_at: int
    events: list[EventBody]

    @classmethod
    def of(cls, payment: PaymentRecord, events: list[Row[Any]]) -> PaymentBody:
        return cls(
            uetr=payment.uetr,
            status=payment.state,
            final=payment.state.final,
            iso20022=payment.state.iso20022,
            reason=payment.reason,
            detail=payment.detail,
            merchant=payment.creditor.name,
            source_currency=payment.source.currency.alpha,
            source_amount=str(payment.source.minor),
            fee=str(payment.fee),
            target_currency=payment.target.currency.alpha,
            target_amount=str(payment.target.minor),
            deadline=payment.deadline,
            accepted_at=payment.accepted_at,
            events=[EventBody(event=e.event, state=e.state, detail=e.detail, at=e.at) for e in events],
        )


class ListedPaymentBody(Schema):
    """One line of an account's list. Amounts are minor units."""

    uetr: str
    account: str
    direction: Literal["outgoing", "incoming"]
    status: State
    final: bool
    iso20022: str
    reason: str
    counterparty: str = Field(description="whom an outgoing payment pays, whom an incoming one is from")
    currency: str
    amount: str = Field(description="what leaves the account, fee included, or reaches it")
    counter_currency: str
    counter_amount: str = Field(description="what the other side gets, or gave")
    original_uetr: str = Field(description="the payment that this one returns, or empty")
    deadline: int
    accepted_at: int

    @classmethod
    def of(cls, payment: PaymentRecord) -> ListedPaymentBody:
        outgoing = payment.side == "debtor"
        own, other = (payment.source, payment.target) if outgoing else (payment.target, payment.source)
        return cls(
            uetr=payment.uetr,
            account=payment.account,
            direction="outgoing" if outgoing else "incoming",
            status=payment.state,
            final=payment.state.final,
            iso20022=payment.state.iso20022,
            reason=payment.reason,
            counterparty=(payment.creditor if outgoing else payment.debtor).name,
            currency=own.currency.alpha,
            amount=str(payment.earmark if outgoing else own.minor),
            counter_currency=other.currency.alpha,
            counter_amount=str(other.minor),
            original_uetr=payment.original_uetr,
            deadline=payment.deadline,
            accepted_at=payment.accepted_at,
        )


class PaymentsBody(Schema):
    """The newest first."""

    payments: list[ListedPaymentBody]
    next: str | None = NextCursor
