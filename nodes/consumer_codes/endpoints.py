"""HTTP for consumer-presented codes: the wallet shows one, the merchant charges it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from contracts.terms.money import parse_minor
from nodes.consumer_codes.charge import ChargeRequest, charge
from nodes.consumer_codes.issue import issue
from nodes.context import NodeContext, context
from nodes.payments.schemas import AcceptedBody
from serving.auth import Caller, require
from serving.bodies import Schema, StrictRoute
from serving.idempotency import IdempotencyKey

router = APIRouter(route_class=StrictRoute)
Node = Annotated[NodeContext, Depends(context)]


class IssueBody(Schema):
    account: str = Field(min_length=1, max_length=70)
    most: str = Field(description="what the customer consents to pay at most, minor units of the account's currency")


class IssuedBody(Schema):
    code: str = Field(description="the text to show as a QR code; good for one payment")
    expires: int = Field(description="chain time in seconds")


class ChargeBody(Schema):
    code: str = Field(min_length=1, max_length=100, description="the scanned customer's code")
    amount: str = Field(description="minor units of the merchant's currency")
    reference: str = Field(default="", max_length=20, pattern="^[A-Z0-9]*$")


@router.post("/v1/consumer-codes", status_code=201, tags=["payments"])
def issue_code(
    body: IssueBody, node: Node, caller: Annotated[Caller, Depends(require("payments:write"))]
) -> IssuedBody:
    """A code for the customer to show at a till abroad: one payment, a short life, an amount at most."""
    issued = issue(node, caller.subject, body.account, parse_minor(body.most))
    return IssuedBody(code=issued.text, expires=issued.expires)


@router.post("/v1/merchants/{merchant}/charges", status_code=202, tags=["merchants"])
def charge_code(
    merchant: str,
    body: ChargeBody,
    node: Node,
    caller: Annotated[Caller, Depends(require("merchants:write"))],
    idempotency_key: IdempotencyKey,
) -> AcceptedBody:
    """The merchant scanned a customer's code. Paid when GET /v1/merchants/{merchant}/payments says settled."""
    amount = parse_minor(body.amount)
    request = ChargeRequest(caller.subject, idempotency_key, merchant, body.code, amount, body.reference)
    return AcceptedBody(**charge(node, request))
