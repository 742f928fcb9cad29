"""Held payments: what officers released is priced anew and goes on within the customer's tolerance, or ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from compliance.client import Decision
from contracts.terms.errors import FeiqianError, InsufficientFunds
from contracts.terms.money import Money
from contracts.terms.payment import Event, State
from nodes.accounts import service as accounts
from nodes.claims import claimed
from nodes.context import NodeContext
from nodes.payments import repository
from nodes.payments.agree import peer_of
from nodes.payments.end import refuse
from nodes.payments.record import UNKNOWN, PaymentRecord
from nodes.payments.screen import screening_of
from nodes.peers.client import NodeClient
from nodes.quotes.pricing import Price, price_payment, price_return

MAX_LIST = 500
_log = structlog.get_logger(__name__)


def release_held(node: NodeContext) -> bool:
    """Ask whether officers have decided about what is held, here and at creditor agents. False when nothing moved."""
    with node.database.read() as connection:
        held = repository.held(connection, MAX_LIST)
    held = claimed(node, "release", held)
    own = [payment for payment in held if payment.held_by == node.account]
    elsewhere = [payment for payment in held if payment.held_by != node.account]
    moved = _ask_own_officers(node, own) if own else 0
    return moved + sum(_ask_creditor_agent(node, agent, elsewhere) for agent in {p.held_by for p in elsewhere}) > 0


def _ask_own_officers(node: NodeContext, held: Sequence[PaymentRecord]) -> int:
    """Screening the same question again gives the officers' decision once there is one."""
    questions = [screening_of(payment) for payment in held]
    moved = 0
    for payment, answer in zip(held, node.compliance.screen(questions), strict=True):
        if isinstance(answer, Decision) and answer.clear:
            moved += _release(node, payment)
        elif isinstance(answer, Decision) and answer.outcome == "refuse":
            moved += _refuse(node, payment, answer.reason, "officers refused")
    return moved


def _ask_creditor_agent(node: NodeContext, agent: str, held: Sequence[PaymentRecord]) -> int:
    theirs = {payment.uetr: payment for payment in held if payment.held_by == agent}
    try:
        statuses = NodeClient(node.peers, peer_of(node, agent)).status(list(theirs))
    except FeiqianError as failure:
        said = "creditor agent did not say what became of held payments"
        node.troubles.failed(("held", agent), said, peer=agent, why=failure.detail)
        return 0
    node.troubles.worked(("held", agent))
    moved = 0
    for status in statuses:
        if status.state == State.ACCEPTED:
            moved += _release(node, theirs[status.uetr])
        elif status.state in (State.REFUSED, State.EXPIRED):
            moved += _refuse(node, theirs[status.uetr], status.reason or "RR04", status.detail)
    return moved


def _release(node: NodeContext, payment: PaymentRecord) -> int:
    """The debtor agent prices it anew; the creditor agent waits for the proposal at the new price."""
    if payment.side == "creditor":
        changes = {"attempt": payment.attempt + 1, "held_by": "", "detail": "released"}
        moved = node.database.write(lambda c: repository.move(c, payment, Event.RELEASE, **changes))
        return int(moved)
    try:
        price = _price_anew(node, payment)
    except FeiqianError as failure:
        _log.warning("released payment has no price yet", uetr=payment.uetr, why=failure.detail)
        return 0
    quote = price.firm.quote
    anew = replace(
        payment,
        state=State.ACCEPTED,
        provider=quote.provider,
        source=Money(quote.source_amount, payment.source.currency),
        target=Money(quote.target_amount, payment.target.currency),
        fee=price.fee,
        quote=quote,
        quote_signature=price.firm.signature,
        contract=price.contract,
        deadline=node.clock.now() + node.settings.payment_lifetime,
        attempt=payment.attempt + 1,
        held_by="",
        detail="",
        creditor_commitment=UNKNOWN,
        creditor_decision=UNKNOWN,
    )
    return node.database.write(lambda connection: _record_released(connection, payment, anew))


def _price_anew(node: NodeContext, payment: PaymentRecord) -> Price:
    """The price of now, of the provider that officers released it with; a return keeps its original rate."""
    if payment.original_uetr:
        return price_return(node, payment.provider, payment.original_uetr, payment.source, payment.target.currency)
    return price_payment(node, payment.source.currency, payment.target, payment.provider)


def _record_released(connection: Connection, payment: PaymentRecord, anew: PaymentRecord) -> int:
    if anew.earmark > payment.most:
        refuse(connection, payment, "AM14", "the price moved by more than the customer's tolerance")
        return 1
    if not repository.move(connection, payment, Event.RELEASE, detail="released and priced anew"):
        return 0
    try:
        accounts.earmark(connection, payment.account, anew.earmark - payment.earmark)
    except InsufficientFunds:
        refuse(connection, replace(payment, state=State.ACCEPTED), "AM04", "not enough money for the new price")
        return 1
    repository.price_anew(connection, anew)
    return 1


def _refuse(node: NodeContext, payment: PaymentRecord, reason: str, detail: str) -> int:
    node.database.write(lambda connection: refuse(connection, payment, reason, detail))
    return 1
