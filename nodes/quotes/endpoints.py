"""HTTP for quotes: a scanned code in, an exact price out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from contracts.terms.money import parse_minor
from nodes.context import NodeContext, context
from nodes.quotes import service
from nodes.quotes.schemas import QuoteBody, QuotedBody
from serving.auth import Caller, require
from serving.bodies import StrictRoute

router = APIRouter(tags=["payments"], route_class=StrictRoute)


@router.post("/v1/quotes", status_code=201)
def quote(
    body: QuoteBody,
    node: Annotated[NodeContext, Depends(context)],
    caller: Annotated[Caller, Depends(require("payments:write"))],
) -> QuotedBody:
    """Read a payment code and price it firmly."""
    amount = None if body.amount is None else parse_minor(body.amount)
    return QuotedBody.of(service.quote(node, service.PriceRequest(caller.subject, body.account, body.code, amount)))
