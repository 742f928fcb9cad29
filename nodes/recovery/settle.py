"""Booking a recovered payment: it did settle, so it takes every step of its way again and its money moves."""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import Connection

from contracts.terms.errors import WrongState
from contracts.terms.payment import Event, State, advance
from nodes.accounts import service as accounts
from nodes.accounts.service import FEES, RECEIVABLES, SETTLEMENT, own_account
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord

RECOVERED = "recovered after a backup was restored"
_WAY = {
    State.HELD: Event.RELEASE,
    State.ACCEPTED: Event.CLEAR,
    State.SCREENED: Event.AGREE,
    State.AGREED: Event.SIGN,
    State.COSIGNING: Event.SIGN,
    State.COMMITTING: Event.SETTLE,
}
"""The way from each open state to SETTLED. What the lost events were is certain: a batch with the payment is final."""

_log = structlog.get_logger(__name__)


def settle_recovered(
    connection: Connection, payment: PaymentRecord, known: PaymentRecord | None, chain_time: int
) -> None:
    """Record, or complete, a payment that is settled on chain, and book it.

    Raises WrongState when it ended otherwise here: people must decide then, and the break stays visible.
    """
    if known is None:
        payments.add(connection, payment)
    elif known.state is State.SETTLED:
        return
    elif known.state.final:
        raise WrongState(f"payment {known.uetr} is settled on chain and {known.state} here", uetr=known.uetr)
    else:
        payments.replace_open(connection, payment)
        if known.side == "debtor":
            accounts.release(connection, known.account, known.earmark)
    _advance(connection, payment)
    key = f"payment:{payment.uetr}"
    accounts.post(connection, key, f"payment {payment.uetr}, {RECOVERED}", chain_time, _lines(connection, payment))


def _advance(connection: Connection, payment: PaymentRecord) -> None:
    while payment.state is not State.SETTLED:
        event = _WAY[payment.state]
        payments.move(connection, payment, event, detail=RECOVERED)
        payment = replace(payment, state=advance(payment.state, event))


def _lines(connection: Connection, payment: PaymentRecord) -> list[tuple[str, int]]:
    if payment.side == "creditor":
        settlement = own_account(SETTLEMENT, payment.target.currency)
        return [(settlement, -payment.target.minor), (payment.account, payment.target.minor)]
    unit = payment.source.currency
    account = accounts.find(connection, payment.account)
    # The customer's money may be gone: a deposit was lost with the backup, or was spent again since. An account is
    # never overdrawn; what it lacks is a claim of the institution on the customer, in an account of its own.
    covered = min(account.available, payment.earmark)
    owed = payment.earmark - covered
    if owed:
        _log.error("a customer owes a recovered payment", account=account.id, uetr=payment.uetr, minor=owed)
        institution = accounts.find(connection, own_account(SETTLEMENT, unit)).party
        accounts.open_account(connection, own_account(RECEIVABLES, unit), "own", "", unit, institution)
    return [
        (payment.account, -covered),
        (own_account(RECEIVABLES, unit), -owed),
        (own_account(SETTLEMENT, unit), payment.source.minor),
        (own_account(FEES, unit), payment.fee),
    ]
