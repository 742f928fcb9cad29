"""HTTP for payments: pay with a quote, see where a payment stands, withdraw it, prove it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from contracts.terms.evidence import write_evidence
from contracts.terms.payment import State
from nodes.context import NodeContext, context
from nodes.payments import service
from nodes.payments.accept import Order, accept, accept_all
from nodes.payments.browse import Wanted
from nodes.payments.evidence import evidence_of
from nodes.payments.schemas import (
    AcceptedBody,
    After,
    BulkAnswerBody,
    BulkAnswersBody,
    BulkBody,
    Cursor,
    LastEventId,
    ListedPaymentBody,
    PayBody,
    PaymentBody,
    PaymentsBody,
)
from nodes.payments.stream import EventStream, begin, events_of
from serving.auth import Caller, require
from serving.bodies import StrictRoute
from serving.idempotency import IdempotencyKey

router = APIRouter(tags=["payments"], route_class=StrictRoute)
Node = Annotated[NodeContext, Depends(context)]
NOTHING_LEFT: dict[int | str, dict[str, Any]] = {204: {"description": "It has ended and all was told: ask no more"}}
Payer = Annotated[Caller, Depends(require("payments:write"))]
Reader = Annotated[Caller, Depends(require("payments:read"))]


@router.post("/v1/payments", status_code=202)
def pay(body: PayBody, node: Node, caller: Payer, idempotency_key: IdempotencyKey) -> AcceptedBody:
    """Pay with a quote. The money is earmarked; follow the payment under its UETR."""
    order = Order(idempotency_key, body.quote_id, body.tolerance_basis_points)
    return AcceptedBody(**accept(node, caller.subject, order))


@router.post("/v1/payments/bulk", response_model_exclude_none=True)
def pay_all(body: BulkBody, node: Node, caller: Payer) -> BulkAnswersBody:
    """Pay with many quotes, each as if it were sent alone and in turn: each has its own key and answer."""
    orders = [Order(each.idempotency_key, each.quote_id, each.tolerance_basis_points) for each in body.payments]
    answers = accept_all(node, caller.subject, orders)
    told = [BulkAnswerBody.of(order.key, answer) for order, answer in zip(orders, answers, strict=True)]
    return BulkAnswersBody(answers=told)


@router.get("/v1/payments")
def list_payments(
    node: Node,
    caller: Reader,
    status: Annotated[State | None, Query(description="only those that stand so")] = None,
    since: Annotated[int, Query(ge=0, lt=2**63, description="milliseconds: only those accepted then or later")] = 0,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PaymentsBody:
    """What all accounts of the caller paid and what came back to them, the newest first."""
    page = service.browse(node, caller.subject, Wanted(limit, cursor, status, since))
    return PaymentsBody(payments=[ListedPaymentBody.of(each) for each in page.payments], next=page.next)


@router.get("/v1/payments/events", response_class=EventStream, responses=NOTHING_LEFT)
def follow_payments(
    node: Node,
    caller: Reader,
    after: After = None,
    last_event_id: LastEventId = None,
    ends: Annotated[bool, Query(description="only how payments end")] = False,
) -> Response:
    """Server-sent events of all payments on the caller's accounts, from now on or from behind an event."""
    return _follow(node, caller, "", last_event_id or after, ends)


@router.get("/v1/payments/{uetr}")
async def read_payment(
    uetr: str,
    node: Node,
    caller: Reader,
    wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for a final state")] = 0,
) -> PaymentBody:
    """Where a payment stands."""
    payment, events = await service.await_final(node, uetr, caller.subject, wait)
    return PaymentBody.of(payment, list(events))


@router.post("/v1/payments/{uetr}/cancellation")
def cancel_payment(uetr: str, node: Node, caller: Payer) -> PaymentBody:
    """Withdraw a payment that is not agreed yet; the money is free at once."""
    service.cancel(node, uetr, caller.subject)
    payment, events = service.look(node, uetr, caller.subject)
    return PaymentBody.of(payment, list(events))


@router.get("/v1/payments/{uetr}/events", response_class=EventStream, responses=NOTHING_LEFT)
def follow_payment(
    uetr: str, node: Node, caller: Reader, after: After = None, last_event_id: LastEventId = None
) -> Response:
    """Server-sent events of one payment on an account of the caller, all of them; the stream ends with the payment."""
    return _follow(node, caller, uetr, last_event_id or after)


def _follow(node: NodeContext, caller: Caller, uetr: str, after: str | None, ends: bool = False) -> Response:
    following = begin(node, caller.subject, uetr, None if after is None else int(after), ends)
    return Response(status_code=204) if following is None else EventStream(events_of(node, following))


@router.get("/v1/payments/{uetr}/evidence", response_class=JSONResponse)
def read_evidence(uetr: str, node: Node, _: Annotated[Caller, Depends(require("audit"))]) -> Response:
    """The evidence file of a settled payment: `feiqian audit verify` checks it offline."""
    return Response(write_evidence(evidence_of(node, uetr)), media_type="application/json")
