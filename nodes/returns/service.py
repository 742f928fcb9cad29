"""Returns: the creditor agent pays a settled payment back, whole or in part, at the rate that it was paid at.

A return is a payment of its own, from the merchant's account to the customer's, that names the original UETR. Its
price is the original's, without spread or fee, and the FX provider bears the gap to today's rate; the sum of all
returns never exceeds the original, which the creditor agent, the FX provider and the debtor agent each enforce.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.errors import AlreadyReturned, FeiqianError, NotFound, Unavailable, WrongState
from contracts.terms.identifiers import new_uetr
from contracts.terms.money import Money
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.payments import repository
from nodes.payments.accept import refusing
from nodes.payments.record import PaymentRecord
from nodes.quotes.pricing import Price, price_return
from nodes.returns.keys import payee_key
from serving.idempotency import Answer


@dataclass(frozen=True)
class ReturnRequest:
    """What the merchant returns: `amount` in minor units of its own currency, None for all that is left."""

    caller: str
    key: str
    original_uetr: str
    amount: int | None
    reason: str


def return_payment(node: NodeContext, request: ReturnRequest) -> Answer:
    """Return a settled payment, once per idempotency key: the UETR of the return and the state it was accepted in.

    Raises NotFound, WrongState, AlreadyReturned, InsufficientFunds, NoPrice, IdempotencyKeyReused.
    """
    said = f"return {request.original_uetr} {request.amount} {request.reason}".encode()
    with node.database.read() as connection:
        known = node.idempotency.known(connection, request.caller, request.key, said)
    if known is not None:
        return known
    try:
        act = _priced(node, request)
    except FeiqianError as refusal:
        act = refusing(refusal)
    answer = node.idempotency.once(node.database, request.caller, request.key, said, act)
    node.wake.set()
    return answer


def _priced(node: NodeContext, request: ReturnRequest) -> Callable[[Connection], Answer]:
    """What records the return, at the price that its provider gives."""
    node.require_chain()
    with node.database.read() as connection:
        original = _own_original(connection, request)
        amount = _amount(connection, original, request.amount)
    source = Money(amount, original.target.currency)
    price = price_return(node, original.provider, original.uetr, source, original.source.currency)
    return lambda connection: _record(connection, node, original, source, price, request.reason)


def _own_original(connection: Connection, request: ReturnRequest) -> PaymentRecord:
    payment = repository.find(connection, request.original_uetr)
    if payment is None or payment.side != "creditor" or payment.original_uetr:
        raise NotFound("you received no payment with this UETR")
    if accounts.find(connection, payment.account).owner != request.caller:
        raise NotFound("you received no payment with this UETR")
    if payment.state is State.COMMITTING:
        # The payer may have heard "settled" a moment before us; a refusal would be remembered under the key for ever.
        raise Unavailable("the payment is being settled; try again in a moment")
    if payment.state is not State.SETTLED:
        state = payment.state
        raise WrongState(f"the payment is {state}; only a settled payment is returned", state=state.value)
    return payment


def _amount(connection: Connection, original: PaymentRecord, asked: int | None) -> int:
    left = original.target.minor - repository.returned(connection, original.uetr)[0]
    amount = left if asked is None else asked
    if not 0 < amount <= left:
        raise AlreadyReturned(f"{left} minor units of this payment are left to return", left=str(left))
    return amount


def _record(
    connection: Connection, node: NodeContext, original: PaymentRecord, source: Money, price: Price, reason: str
) -> Answer:
    _amount(connection, original, source.minor)
    payment = PaymentRecord(
        uetr=new_uetr(),
        side="debtor",
        state=State.ACCEPTED,
        account=original.account,
        debtor_agent=node.account,
        creditor_agent=original.debtor_agent,
        provider=original.provider,
        source=source,
        target=Money(price.firm.quote.target_amount, original.source.currency),
        fee=price.fee,
        payee_key=payee_key(original.uetr),
        reference=f"return {reason}",
        debtor=accounts.find(connection, original.account).party,
        creditor=original.debtor,
        quote=price.firm.quote,
        quote_signature=price.firm.signature,
        deadline=node.clock.now() + node.settings.payment_lifetime,
        accepted_at=time.time_ns() // 1_000_000,
        original_uetr=original.uetr,
        most=source.minor,
        contract=price.contract,
    )
    accounts.earmark(connection, payment.account, payment.earmark)
    repository.add(connection, payment)
    return {"uetr": payment.uetr, "status": payment.state.value, "iso20022": payment.state.iso20022}
