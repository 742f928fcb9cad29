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
from contracts.terms.payment import TRANSITIONS, Event
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.payments import end, repository
from nodes.payments.record import PaymentRecord
from nodes.recovery.service import require_certain


def find_own(connection: Connection, uetr: str, caller: str) -> PaymentRecord:
    """The caller's own payment. Raises NotFound, also for another customer's."""
    payment = repository.find(connection, uetr)
    if payment is None or payment.side != "debtor" or accounts.find(connection, payment.account).owner != caller:
        raise NotFound("there is no such payment of yours")
    return payment


def look(node: NodeContext, uetr: str, caller: str) -> tuple[PaymentRecord, Sequence[Row[Any]]]:
    """The caller's own payment and its events."""
    with node.database.read() as connection:
        return find_own(connection, uetr, caller), repository.events_of(connection, uetr)


async def await_final(
    node: NodeContext, uetr: str, caller: str, seconds: float
) -> tuple[PaymentRecord, Sequence[Row[Any]]]:
    """As `look`, once the payment is in a final state or `seconds` have passed.

    Waiting occupies no thread: wallets that wait must not keep institutions from being answered.
    """
    end_of_wait = time.monotonic() + seconds
    with node.bell.listening() as heard:
        while True:
            heard.clear()
            found = await run_in_threadpool(look, node, uetr, caller)
            left = end_of_wait - time.monotonic()
            if found[0].state.final or left <= 0:
                return found
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), left)


def cancel(node: NodeContext, uetr: str, caller: str) -> None:
    """Withdraw a payment that is not agreed yet. Raises WrongState with when it will be certain."""

    def work(connection: Connection) -> None:
        payment = find_own(connection, uetr, caller)
        node.require_whole()
        require_certain(connection, [uetr])
        if (payment.state, Event.CANCEL) not in TRANSITIONS:
            raise WrongState(
                f"the payment is {payment.state}; it ends by itself at chain time {payment.deadline}",
                state=payment.state.value,
                deadline=payment.deadline,
            )
        end.cancel(connection, payment)

    node.database.write(work)
    node.bell.ring()
