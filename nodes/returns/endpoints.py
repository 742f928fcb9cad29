"""HTTP for returns: a merchant pays a customer back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from contracts.terms.money import parse_minor
from nodes.context import NodeContext, context
from nodes.payments.schemas import AcceptedBody
from nodes.returns.service import ReturnRequest, return_payment
from serving.auth import Caller, require
from serving.bodies import Schema, StrictRoute
from serving.idempotency import IdempotencyKey

router = APIRouter(tags=["merchants"], route_class=StrictRoute)


class ReturnBody(Schema):
    amount: str | None = Field(
        default=None, description="minor units of the merchant's currency; without it all that is left"
    )
    reason: str = Field(
        default="CUST", pattern="^[A-Z0-9]{4}$", description="ISO 20022 ExternalReturnReason1Code, such as CUST"
    )


@router.post("/v1/payments/{uetr}/returns", status_code=202)
def return_received(
    uetr: str,
    body: ReturnBody,
    node: Annotated[NodeContext, Depends(context)],
    caller: Annotated[Caller, Depends(require("merchants:write"))],
    idempotency_key: IdempotencyKey,
) -> AcceptedBody:
    """Return a received payment, whole or in part, at its original rate. Follow the return under its own UETR."""
    amount = None if body.amount is None else parse_minor(body.amount)
    request = ReturnRequest(caller.subject, idempotency_key, uetr, amount, body.reason)
    return AcceptedBody(**return_payment(node, request))
