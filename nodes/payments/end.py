"""How a payment ends, and what that does to the book: exactly once, in the transaction that moves its state."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.terms.identifiers import Address
from contracts.terms.payment import Event
from nodes.accounts import service as accounts
from nodes.accounts.service import FEES, SETTLEMENT, own_account
from nodes.payments import repository
from nodes.payments.record import PaymentRecord


def settle(connection: Connection, payment: PaymentRecord, chain_time: int) -> None:
    """The payment is in a final batch: book it. The customer's earmark becomes a posting, or the merchant is paid."""
    if not repository.move(connection, payment, Event.SETTLE):
        return
    if payment.side == "debtor":
        accounts.release(connection, payment.account, payment.earmark)
        settlement = own_account(SETTLEMENT, payment.source.currency)
        fees = own_account(FEES, payment.source.currency)
        lines = [(payment.account, -payment.earmark), (settlement, payment.source.minor), (fees, payment.fee)]
    else:
        settlement = own_account(SETTLEMENT, payment.target.currency)
        lines = [(settlement, -payment.target.minor), (payment.account, payment.target.minor)]
    accounts.post(connection, f"payment:{payment.uetr}", f"payment {payment.uetr}", chain_time, lines)


def hold(connection: Connection, payment: PaymentRecord, by: Address, until: int) -> None:
    """Officers of `by` must decide; if nobody does, the payment ends when a final block is later than `until`."""
    side = "debtor" if by == payment.debtor_agent else "creditor"
    detail = f"held by compliance of the {side} agent"
    repository.move(connection, payment, Event.HOLD, deadline=until, held_by=by, detail=detail)


def refuse(connection: Connection, payment: PaymentRecord, reason: str, detail: str) -> None:
    """Compliance or a peer said no."""
    _end(connection, payment, Event.REFUSE, reason, detail)


def expire(connection: Connection, payment: PaymentRecord) -> None:
    """The deadline is past in a final block and no live batch holds the payment: it is certainly unsettled."""
    _end(connection, payment, Event.EXPIRE, "TM01", "not settled by its deadline")


def outdate(connection: Connection, payment: PaymentRecord) -> None:
    """The Settlement that its price was signed for is retired, and the payment is certainly unsettled."""
    _end(
        connection, payment, Event.EXPIRE, "TM01", "the network's contracts were upgraded before it settled; pay again"
    )


def cancel(connection: Connection, payment: PaymentRecord) -> None:
    """The customer withdrew it before it was agreed."""
    _end(connection, payment, Event.CANCEL, "CUST", "cancelled by the customer")


def _end(connection: Connection, payment: PaymentRecord, event: Event, reason: str, detail: str) -> None:
    moved = repository.move(connection, payment, event, reason=reason, detail=detail)
    if moved and payment.side == "debtor":
        accounts.release(connection, payment.account, payment.earmark)
