"""How a payment ends, and what that does to the book: exactly once, in the transaction that moves its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.identifiers import Address
from contracts.terms.payment import Event
from nodes.accounts import service as accounts
from nodes.accounts.repository import Entry
from nodes.accounts.service import FEES, SETTLEMENT, own_account
from nodes.payments import repository
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Move


def settle(connection: Connection, payments: Sequence[PaymentRecord], chain_time: int) -> None:
    """The payments are in a final batch: book them. Customers' earmarks become postings, merchants are paid."""
    moved = repository.move_all(connection, [Move.of(payment, Event.SETTLE, {"detail": ""}) for payment in payments])
    settled = [payment for payment in payments if payment.uetr in moved]
    accounts.release_all(connection, _earmarks(settled))
    entries = [Entry(f"payment:{each.uetr}", f"payment {each.uetr}", _lines(each)) for each in settled]
    accounts.post_all(connection, chain_time, entries)


def earmark_all(connection: Connection, payments: Sequence[PaymentRecord]) -> None:
    """Set aside what new payments take; the caller has found it free in this transaction."""
    accounts.earmark_all(connection, _earmarks(payments))


def _lines(payment: PaymentRecord) -> list[tuple[str, int]]:
    if payment.side == "debtor":
        settlement = own_account(SETTLEMENT, payment.source.currency)
        fees = own_account(FEES, payment.source.currency)
        return [(payment.account, -payment.earmark), (settlement, payment.source.minor), (fees, payment.fee)]
    settlement = own_account(SETTLEMENT, payment.target.currency)
    return [(settlement, -payment.target.minor), (payment.account, payment.target.minor)]


def _earmarks(payments: Sequence[PaymentRecord]) -> Mapping[str, int]:
    """What is set aside for the debtor side's payments, by account."""
    sums: Counter[str] = Counter()
    for payment in payments:
        if payment.side == "debtor":
            sums[payment.account] += payment.earmark
    return sums


@dataclass(frozen=True)
class Refusal:
    """Compliance or a peer said no to a payment."""

    payment: PaymentRecord
    reason: str
    detail: str


@dataclass(frozen=True)
class Hold:
    """Officers of `by` must decide; if nobody does, the payment ends when a final block is later than `until`."""

    payment: PaymentRecord
    by: Address
    until: int


def hold_all(connection: Connection, holds: Sequence[Hold]) -> None:
    """Let payments wait for officers."""
    repository.move_all(connection, [Move.of(each.payment, Event.HOLD, _held(each)) for each in holds])


def _held(held: Hold) -> Mapping[str, object]:
    side = "debtor" if held.by == held.payment.debtor_agent else "creditor"
    return {"deadline": held.until, "held_by": held.by, "detail": f"held by compliance of the {side} agent"}


def refuse(connection: Connection, payment: PaymentRecord, reason: str, detail: str) -> None:
    """Compliance or a peer said no."""
    refuse_all(connection, [Refusal(payment, reason, detail)])


def refuse_all(connection: Connection, refusals: Sequence[Refusal]) -> None:
    """End what compliance or a peer said no to."""
    _end(connection, Event.REFUSE, refusals)


def expire(connection: Connection, payments: Sequence[PaymentRecord]) -> None:
    """The deadline is past in a final block and no live batch holds them: they are certainly unsettled."""
    _end(connection, Event.EXPIRE, [Refusal(each, "TM01", "not settled by its deadline") for each in payments])


def outdate(connection: Connection, payments: Sequence[PaymentRecord]) -> None:
    """The Settlement that their price was signed for is retired, and the payments are certainly unsettled."""
    why = "the network's contracts were upgraded before it settled; pay again"
    _end(connection, Event.EXPIRE, [Refusal(each, "TM01", why) for each in payments])


def cancel(connection: Connection, payment: PaymentRecord) -> None:
    """The customer withdrew it before it was agreed."""
    _end(connection, Event.CANCEL, [Refusal(payment, "CUST", "cancelled by the customer")])


def _end(connection: Connection, event: Event, ends: Sequence[Refusal]) -> None:
    moves = [Move.of(each.payment, event, {"reason": each.reason, "detail": each.detail}) for each in ends]
    moved = repository.move_all(connection, moves)
    accounts.release_all(connection, _earmarks([each.payment for each in ends if each.payment.uetr in moved]))
