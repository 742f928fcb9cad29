"""HTTP for quotes: a scanned code in, an exact price out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from nodes.context import NodeContext, context
from nodes.quotes import service
from nodes.quotes.schemas import QuoteAnswerBody, QuoteAnswersBody, QuoteBody, QuotedBody, QuotesBody
from serving.auth import Caller, require
from serving.bodies import StrictRoute

router = APIRouter(tags=["payments"], route_class=StrictRoute)


Node = Annotated[NodeContext, Depends(context)]
Payer = Annotated[Caller, Depends(require("payments:write"))]


@router.post("/v1/quotes", status_code=201)
def quote(body: QuoteBody, node: Node, caller: Payer) -> QuotedBody:
    """Read a payment code and price it firmly."""
    return QuotedBody.of(service.quote(node, _request(body, caller)))


@router.post("/v1/quotes/bulk", response_model_exclude_none=True)
def quote_all(body: QuotesBody, node: Node, caller: Payer) -> QuoteAnswersBody:
    """Read many payment codes and price each as if it were sent alone: each has its own answer."""
    requests = [_request(each, caller) for each in body.quotes]
    return QuoteAnswersBody(answers=[QuoteAnswerBody.of(each) for each in service.quote_all(node, requests)])


def _request(body: QuoteBody, caller: Caller) -> service.PriceRequest:
    return service.PriceRequest(caller.subject, body.account, body.code, body.amount)
