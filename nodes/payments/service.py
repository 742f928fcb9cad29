"""Reading payments, waiting for them, and withdrawing them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, Row

from contracts.terms.errors import NotFound, WrongState
from contracts.terms.payment import TRANSITIONS, Event, State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.payments import end, events, repository
from nodes.payments.browse import Page, Wanted, page_of_owner
from nodes.payments.record import PaymentRecord
from nodes.recovery.service import require_certain


def find_own(connection: Connection, uetr: str, caller: str) -> PaymentRecord:
    """The payment that the caller made. Raises NotFound, also for another customer's."""
    payment = find_seen(connection, uetr, caller)
    if payment.side != "debtor":
        raise NotFound("there is no such payment of yours")
    return payment


def find_seen(connection: Connection, uetr: str, caller: str) -> PaymentRecord:
    """The caller's own payment, or one that came back to its account. Raises NotFound, also for another customer's."""
    payment = find_held(connection, uetr, caller)
    # What merchants receive has a list and a scope of its own.
    if payment.side == "creditor" and accounts.find(connection, payment.account).kind != "customer":
        raise NotFound("there is no such payment of yours")
    return payment


def find_held(connection: Connection, uetr: str, caller: str) -> PaymentRecord:
    """A payment on an account of the caller, in either direction. Raises NotFound, also for another customer's."""
    payment = repository.find(connection, uetr)
    if payment is None or accounts.find(connection, payment.account).owner != caller:
        raise NotFound("there is no such payment of yours")
    return payment


def look(node: NodeContext, uetr: str, caller: str) -> tuple[PaymentRecord, Sequence[Row[Any]]]:
    """A payment that the caller made or got back, and its events."""
    with node.database.read() as connection:
        return find_seen(connection, uetr, caller), events.of_payment(connection, uetr)


def browse(node: NodeContext, caller: str, wanted: Wanted) -> Page:
    """A page of what the caller's accounts paid and got back."""
    with node.database.read() as connection:
        return page_of_owner(connection, caller, wanted)


async def await_final(
    node: NodeContext, uetr: str, caller: str, seconds: float
) -> tuple[PaymentRecord, Sequence[Row[Any]]]:
    """As `look`, once the payment is in a final state or `seconds` have passed.

    Waiting occupies no thread: wallets that wait must not keep institutions from being answered.
    """
    end_of_wait = time.monotonic() + seconds
    with node.bell.listening(caller) as heard:
        while True:
            heard.clear()
            found = await run_in_threadpool(look, node, uetr, caller)
            left = end_of_wait - time.monotonic()
            if found[0].state.final or left <= 0:
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await heard.wait()


def cancel(node: NodeContext, uetr: str, caller: str) -> None:
    """Withdraw a payment that is not agreed yet. Raises WrongState with how it ended, or by when it will."""

    def work(connection: Connection) -> None:
        payment = find_own(connection, uetr, caller)
        node.require_whole()
        require_certain(connection, [uetr])
        if (payment.state, Event.CANCEL) not in TRANSITIONS:
            raise _too_late(payment)
        end.cancel(connection, payment)

    node.database.write(work)
    node.bell.ring()


def _too_late(payment: PaymentRecord) -> WrongState:
    state = payment.state
    if state is State.SETTLED:
        return WrongState("the payment is settled for good; ask the payee to send a return", state=state.value)
    if state.final:
        return WrongState(f"the payment is {state}: it has ended, and its money is free", state=state.value)
    ends = f"the payment is {state}; it settles, or ends by itself once chain time is past {payment.deadline}"
    return WrongState(ends, state=state.value, deadline=payment.deadline)
