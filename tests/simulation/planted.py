"""Bugs planted into the product, one at a time: a simulation that finds none of them has tested nothing.

Each takes one care away that the design names. A bug lives in a Python process of its own (`python -m tests.simulation
--bug NAME FIRST LAST`), for as long as that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import bridge.reservations.checks as checks
import bridge.reservations.repository as reservations
import compliance.attesting as attesting
import nodes.accounts.repository as account_rows
import nodes.accounts.service as accounts
import nodes.batches.commit as commit
import nodes.batches.form as form
import nodes.follow as following
import nodes.payments.end as ending
import nodes.payments.repository as payments
import nodes.worker as worker
import serving.cosigning as cosigning
import serving.idempotency as idempotency
from compliance.screening.record import Decided
from contracts.chain.client import ChainClient
from contracts.terms.payment import TRANSITIONS, Event, State
from serving.database import Database
from serving.idempotency import IdempotencyKeys
from serving.replay import ReplayGuard
from serving.sqlite import SqliteStore
from tests.simulation import machine

Plant = Callable[[], None]
BUGS: dict[str, Plant] = {}
KNOWN: dict[str, int] = {}
"""By bug, a seed that found it the last time that somebody looked: tried first, since each other one costs a second."""


def plant(name: str) -> None:
    """Put a bug into this process. Raises KeyError for one that nobody planned."""
    BUGS[name]()


def bug(name: str, known: int = 1) -> Callable[[Plant], Plant]:
    def keep(how: Plant) -> Plant:
        BUGS[name], KNOWN[name] = how, known
        return how

    return keep


@bug("no inbox")
def _no_inbox() -> None:
    """A message that comes twice is acted on twice."""
    ReplayGuard.accept_once = lambda self, sender: self._database.submit(lambda _: None)  # type: ignore[method-assign]


@bug("nonces in memory alone", 15)
def _forgetful_inbox() -> None:
    """A message that comes again after a restart is acted on again."""
    ReplayGuard._keep = lambda self, connection, row, forget: None  # type: ignore[method-assign]


@bug("acknowledged before the commit")
def _early_answer() -> None:
    """Whoever waits for a commit hears "done" when the work is done, before it is durable."""
    serve = Database._serve

    def early(self: Database, group: list[Any]) -> None:
        told = []
        for work, future in group:

            def answered(connection: Any, work: Any = work, future: Any = future) -> Any:
                result = work(connection)
                future.set_result(result)
                return result

            told.append((answered, machine.Future()))
        serve(self, told)
        for (_, quiet), (_, future) in zip(told, group, strict=True):
            if not future.done():
                future.set_exception(quiet.exception(0) or AssertionError("no outcome"))

    Database._serve = early  # type: ignore[method-assign]


@bug("refund on the own clock", 7)
def _own_clock() -> None:
    """A payment ends when our own clock says so, not when a final block does."""
    expire = following._expire
    following._expire = lambda connection, node, chain_time: expire(connection, node, int(machine.wall()))


@bug("expired while a signed batch is live", 24)
def _live_expired() -> None:
    """What is past its deadline ends, whatever was signed."""

    def expire(connection: Any, node: Any, chain_time: int) -> None:
        ending.expire(connection, payments.overdue(connection, node.clock.now()))

    following._expire = expire


@bug("act on blocks that are not final")
def _not_final() -> None:
    ChainClient.final_tag = property(lambda self: "latest")  # type: ignore[assignment]


@bug("signed without a durable record")
def _no_record() -> None:
    """Members sign, and remember it nowhere."""
    cosigning.SignedRecord.record = lambda self, *_: None  # type: ignore[method-assign]


@bug("signed at two places")
def _two_places() -> None:
    """The record is kept, and nobody asks it whether a payment stands elsewhere."""
    cosigning.SignedRecord._refuse_elsewhere = lambda self, *_: None  # type: ignore[method-assign]


@bug("a lane's last batch is forgotten")
def _not_tied() -> None:
    """What members signed for a place goes at once to another one, and they take their signature for void."""
    form.Former._tied = lambda self: {}  # type: ignore[method-assign]

    def refuse(self: Any, connection: Any, place: Any, uetrs: Sequence[str], contract: str) -> None:
        return None

    cosigning.SignedRecord._refuse_elsewhere = refuse  # type: ignore[method-assign]


@bug("the deadline is forgotten")
def _no_deadline() -> None:
    """Nothing ends by itself."""
    following._expire = lambda connection, node, chain_time: None


@bug("a hold has no end", 12)
def _endless_hold() -> None:
    overdue = payments.overdue
    payments.overdue = lambda connection, time: [each for each in overdue(connection, time) if each.state != "held"]


@bug("cancelled while agreed", 11)
def _late_cancel() -> None:
    """The customer's money is free although a batch may settle the payment."""
    for state in (State.AGREED, State.COSIGNING, State.COMMITTING):
        TRANSITIONS[state, Event.CANCEL] = State.CANCELLED


@bug("a replayed key is a new payment", 3)
def _key_again() -> None:
    IdempotencyKeys._rows = lambda self, connection, asked: {}  # type: ignore[method-assign]
    insert = idempotency.insert_all
    idempotency.insert_all = lambda connection, table, rows: [
        connection.execute(table.delete().where(table.c.caller == row["caller"], table.c.key == row["key"]))
        and insert(connection, table, [row])
        for row in rows
    ]


@bug("a backup is not noticed", 74)
def _backup_unseen() -> None:
    """A database that is older than what was acknowledged is taken for whole, and signs at once."""
    SqliteStore._compare = lambda self, side: False  # type: ignore[method-assign]


@bug("more is reserved than there is", 54)
def _overcommitted() -> None:
    checks.Capacity.take = lambda self, code, amount: None  # type: ignore[method-assign]


@bug("a reservation goes while it is signed")
def _reservation_gone() -> None:
    """The provider gives up what it signed for when it is overdue by its clock."""

    def overdue(connection: Any, final_time: int) -> list[str]:
        c = reservations.reservations.c
        rows = connection.execute(reservations.select(c.uetr).where(c.state == "signed"))
        reservations.move(connection, list(rows.scalars()), reservations.State.SIGNED, reservations.Event.DROP, 0)
        late = reservations.select(c.uetr).where(c.state == "reserved", c.deadline < final_time + 20)
        return list(connection.execute(late).scalars())

    reservations.overdue = overdue


@bug("attested unscreened")
def _unscreened() -> None:
    """Compliance says "clear" to everything, and attests to whatever its node asks."""
    attesting.check_screened = lambda *_: None
    answer = Decided.answer
    Decided.answer = lambda self: replace(answer(self), outcome="clear", hold_until=0)  # type: ignore[method-assign]


@bug("the fee is set aside for ever")
def _fee_kept() -> None:
    """The earmark ends without the fee that is part of it."""
    release = accounts.release_all
    accounts.release_all = lambda connection, amounts: release(
        connection, {account: amount - amount // 200 for account, amount in amounts.items()}
    )


@bug("settled when sent")
def _assumed() -> None:
    """The outcome of a transaction is assumed, not read from a final block."""
    send = commit.Committer._send

    def assume(self: Any, formed: Any, first: bool) -> Any:
        sent = send(self, formed, first)
        self._node.database.write(lambda c: ending.settle(c, payments.find_all(c, formed.uetrs), 0))
        return sent

    commit.Committer._send = assume  # type: ignore[method-assign]


@bug("given up after it was signed", 26)
def _dropped_signed() -> None:
    """A restarted node takes a batch that it has signed for one that was only being formed."""
    abandon = form.Former.abandon

    def drop(self: Any) -> None:
        def work(connection: Any) -> None:
            for formed in form.repository.in_state(connection, form.repository.SIGNED):
                form.repository.bury(connection, formed.name)
                for payment in payments.find_all(connection, formed.uetrs):
                    payments.move(connection, payment, Event.DROP)
                ending.expire(connection, payments.find_all(connection, formed.uetrs))

        self._node.database.write(work)
        abandon(self)

    form.Former.abandon = drop  # type: ignore[method-assign]


@bug("the block before its events")
def _block_first() -> None:
    """That a final block was acted on is recorded in a transaction of its own, before its events are."""
    apply = following.apply

    def follow_first(node: Any) -> bool:
        after = node.seen.block or following._last(node)
        blocks = following.next_final_blocks(node.chain, node.network.contracts, after, node.office.settlements)
        if blocks is not None:
            newest = blocks.newest
            remembered = following.RememberedBlock(newest.number, newest.block_hash, newest.timestamp)
            node.database.write(
                lambda connection: following.remember_final_block(connection, following.final_blocks, remembered)
            )
            keep, following.remember_final_block = following.remember_final_block, lambda *_: None
            try:
                node.database.write(lambda connection: apply(connection, node, blocks, []))
            finally:
                following.remember_final_block = keep
            node.seen.block = newest
            node.clock.observe(newest.timestamp)
        return blocks is not None

    worker.follow = follow_first


@bug("posted twice")
def _posted_twice() -> None:
    """A journal entry has no key."""
    account_rows.booked = lambda connection, keys: set()
    settle = ending.settle

    def again(connection: Any, settled: Any, chain_time: int) -> None:
        settle(connection, settled, chain_time)
        entries = [ending.Entry(f"again:{each.uetr}", "again", ending._lines(each)) for each in settled]
        accounts.post_all(connection, chain_time, entries)

    ending.settle = again


@bug("money is spent before it is earmarked")
def _no_earmark() -> None:
    accounts.earmark_all = lambda connection, amounts: None
