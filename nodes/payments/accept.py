"""Step 2 of a payment: recorded, and the customer's money earmarked, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.errors import FeiqianError
from contracts.terms.identifiers import new_uetr
from contracts.terms.money import Money
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.payments import repository
from nodes.payments.record import PaymentRecord
from nodes.quotes import service as quotes
from serving.client import PeerRefusal
from serving.idempotency import Answer


@dataclass(frozen=True)
class Order:
    """What a wallet asks for: pay with this quote, once under this key.

    `tolerance` (basis points) is how much more the payment may cost if it is held and released at a new price.
    """

    key: str
    quote_id: str
    tolerance: int


def accept(node: NodeContext, caller: str, order: Order) -> Answer:
    """Pay with a quote, once per idempotency key: the UETR and the state the payment was accepted in.

    Raises QuoteExpired, QuoteAlreadyUsed, NotFound, InsufficientFunds, IdempotencyKeyReused, ChainUnavailable.
    """
    [answer] = accept_all(node, caller, [order])
    if isinstance(answer, FeiqianError):
        raise answer
    return answer


def accept_all(node: NodeContext, caller: str, orders: Sequence[Order]) -> list[Answer | FeiqianError]:
    """As `accept` for each order in turn, in one transaction: its answer, or its refusal, which stops no other."""

    def work(connection: Connection) -> list[Answer | FeiqianError]:
        return [_accept(connection, node, caller, order) for order in orders]

    answers = node.database.write(work)
    node.wake.set()
    node.bell.ring()
    return answers


def _accept(connection: Connection, node: NodeContext, caller: str, order: Order) -> Answer | FeiqianError:
    def act(connection: Connection) -> Answer:
        node.require_chain()
        return record_payment(connection, node, caller, order.quote_id, order.tolerance)

    said = f"payment {order.quote_id} {order.tolerance}".encode()
    try:
        return node.idempotency.within(connection, caller, order.key, said, act)
    except FeiqianError as refusal:
        return refusal


def record_payment(connection: Connection, node: NodeContext, caller: str, quote_id: str, tolerance: int) -> Answer:
    """Take the quote, earmark the money and record the payment, in the caller's transaction. Raises as `accept`."""
    uetr, now = new_uetr(), node.clock.now()
    priced = quotes.take(connection, quote_id, caller, uetr, now, node.office.incumbent)
    payment = PaymentRecord(
        uetr=uetr,
        side="debtor",
        state=State.ACCEPTED,
        account=priced.account,
        debtor_agent=node.account,
        creditor_agent=priced.creditor_agent,
        provider=priced.quote.provider,
        source=Money(priced.quote.source_amount, priced.source_currency),
        target=Money(priced.quote.target_amount, priced.target_currency),
        fee=priced.fee,
        payee_key=priced.payee_key,
        reference=priced.reference,
        debtor=accounts.find(connection, priced.account).party,
        creditor=priced.payee,
        quote=priced.quote,
        quote_signature=priced.signature,
        deadline=now + node.settings.payment_lifetime,
        accepted_at=time.time_ns() // 1_000_000,
        most=priced.total * (10_000 + tolerance) // 10_000,
        contract=priced.contract,
    )
    accounts.earmark(connection, payment.account, payment.earmark)
    repository.add(connection, payment)
    return {"uetr": uetr, "status": payment.state.value, "iso20022": payment.state.iso20022}


def refusing(refusal: FeiqianError) -> Callable[[Connection], Answer]:
    """What to do once under an idempotency key that was refused before its transaction began: refuse it for ever.

    A peer that could not tell who asked has not answered, and its refusal is raised at once.
    """
    if isinstance(refusal, PeerRefusal) and refusal.status == 401:
        raise refusal

    def act(_: Connection) -> Answer:
        raise refusal

    return act
