"""HTTP for accounts: customers read their own, the operator opens accounts, books deposits and proves the book."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from contracts.terms.money import parse_minor
from contracts.terms.parties import Party
from nodes.accounts import service
from nodes.accounts.schemas import AccountBody, BookBody, DepositBody, OpenAccountBody
from nodes.context import NodeContext, context
from nodes.recovery.service import breaks
from serving.auth import Caller, require
from serving.bodies import StrictRoute
from serving.idempotency import IdempotencyKey

router = APIRouter(tags=["accounts"], route_class=StrictRoute)
Node = Annotated[NodeContext, Depends(context)]
Operator = Annotated[Caller, Depends(require("operator"))]


@router.post("/v1/accounts", status_code=201)
def open_account(body: OpenAccountBody, node: Node, _: Operator) -> AccountBody:
    """Open a customer's account in the institution's currency. The same request again changes nothing."""
    party = Party(**body.party.model_dump(), account=body.id)

    def work(connection: Connection) -> service.Account:
        service.open_account(connection, body.id, "customer", body.owner, node.currency, party)
        return service.find(connection, body.id)

    return AccountBody.of(node.database.write(work))


@router.post("/v1/accounts/{account}/deposits", status_code=201)
def deposit(
    account: str, body: DepositBody, node: Node, operator: Operator, idempotency_key: IdempotencyKey
) -> AccountBody:
    """Book money that a customer paid in, once per Idempotency-Key."""
    amount = parse_minor(body.amount)

    def act(connection: Connection) -> dict[str, str]:
        key = f"{operator.subject}:{idempotency_key}"
        service.deposit(connection, key, account, amount, node.clock.final_time())
        return {"account": account}

    said = f"deposit {account} {amount}".encode()
    node.idempotency.once(node.database, operator.subject, idempotency_key, said, act)
    with node.database.read() as connection:
        return AccountBody.of(service.find(connection, account))


@router.get("/v1/accounts/{account}")
def read_account(account: str, node: Node, caller: Annotated[Caller, Depends(require("accounts:read"))]) -> AccountBody:
    """The caller's own account."""
    with node.database.read() as connection:
        return AccountBody.of(service.find_own(connection, account, caller.subject))


@router.get("/v1/book")
def read_book(node: Node, _: Annotated[Caller, Depends(require("audit"))]) -> list[BookBody]:
    """The book per currency; `settlement` must equal the institution's balance on chain."""
    with node.database.read() as connection:
        return [
            BookBody.of(book, breaks(connection, node.account, book.currency.numeric))
            for book in service.book_sums(connection)
        ]
