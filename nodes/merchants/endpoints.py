"""HTTP for merchants: the operator registers them; they show codes and read what they were paid."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from contracts.terms.money import parse_minor
from contracts.terms.payment import State
from nodes import qr
from nodes.context import NodeContext, context
from nodes.merchants import codes, service
from nodes.merchants.schemas import CodeBody, MerchantBody, ReceivedBody, ReceivedPageBody, RegisterMerchantBody
from nodes.payments.browse import Wanted, page_received
from nodes.payments.schemas import Cursor
from serving.auth import Caller, require
from serving.bodies import StrictRoute

router = APIRouter(tags=["merchants"], route_class=StrictRoute)
Node = Annotated[NodeContext, Depends(context)]
Reader = Annotated[Caller, Depends(require("merchants:read"))]


@router.post("/v1/merchants", status_code=201)
def register_merchant(
    body: RegisterMerchantBody, node: Node, _: Annotated[Caller, Depends(require("operator"))]
) -> MerchantBody:
    """Register a merchant; its answer holds the static code to print. The same request again changes nothing."""
    settings = node.settings
    schemes = codes.schemes(settings.merchant_scheme, settings.merchant_prefix, settings.further_schemes)
    who = service.Registration(**body.model_dump())

    def work(connection: Connection) -> MerchantBody:
        merchant = service.register(connection, who, schemes, node.currency, settings.country)
        # A merchant whose code cannot be written is not registered.
        return MerchantBody.of(merchant, _code(node, merchant, None, ""))

    return node.database.write(work)


@router.get("/v1/merchants/{merchant}/code")
def merchant_code(
    merchant: str,
    node: Node,
    caller: Reader,
    amount: Annotated[str | None, Query(description="minor units; without it the payer names the amount")] = None,
    reference: Annotated[str, Query(max_length=20, pattern="^[A-Z0-9]*$")] = "",
) -> CodeBody:
    """A code to show at the till."""
    minor = None if amount is None else parse_minor(amount)
    with node.database.read() as connection:
        found = service.find_own(connection, merchant, caller.subject)
    return CodeBody(code=_code(node, found, minor, reference))


@router.get("/v1/merchants/{merchant}/payments")
def merchant_payments(
    merchant: str,
    node: Node,
    caller: Reader,
    status: Annotated[State | None, Query(description="only those that stand so")] = None,
    since: Annotated[int, Query(ge=0, lt=2**63, description="milliseconds: only those accepted then or later")] = 0,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ReceivedPageBody:
    """The payments to this merchant, the newest first; it is paid when the status is "settled", and only then."""
    with node.database.read() as connection:
        found = service.find_own(connection, merchant, caller.subject)
        page = page_received(connection, found.account, Wanted(limit, cursor, status, since))
    return ReceivedPageBody(payments=[ReceivedBody.of(each) for each in page.payments], next=page.next)


def _code(node: NodeContext, merchant: service.Merchant, amount: int | None, reference: str) -> str:
    saying = qr.Saying(
        amount=amount,
        merchant_name=merchant.name,
        merchant_city=merchant.city,
        category=merchant.category,
        country=node.settings.country,
        currency=node.currency.alpha,
        reference=qr.Reference(bill_number=reference),
    )
    return codes.write_code(merchant.lookup_keys, saying)
