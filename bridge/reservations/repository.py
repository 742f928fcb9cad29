"""Reservations in SQL: states move by compare-and-set, and every move leaves a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, select, update

from bridge.positions.book import Conversion
from bridge.reservations.states import LIVE, Event, State, advance
from bridge.tables import quotes, reservation_events, reservations, signed, stock
from contracts.terms.commitments import payment_leaf
from contracts.terms.documents import to_document
from contracts.terms.identifiers import Address
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote
from serving import jsontext
from serving.cosigning import LIVE as BATCH_IS_LIVE


@dataclass(frozen=True)
class Reservation:
    """A provider's currency set aside for one payment. `deadline` in seconds of chain time, amount in minor units.

    `original_uetr` is the payment that it returns, empty unless it is a return.
    """

    uetr: str
    state: State
    leaf: bytes
    counterparty: Address
    target_currency: int
    target_amount: int
    deadline: int
    original_uetr: str


def add(connection: Connection, reserved: Sequence[tuple[PaymentTerms, Quote]]) -> None:
    """Record new reservations."""
    if reserved:
        connection.execute(insert(reservations), [_values(terms, quote) for terms, quote in reserved])


def find(connection: Connection, uetrs: Collection[str]) -> dict[str, Reservation]:
    """The reservations of these payments, by UETR."""
    rows = connection.execute(_ALL, {"uetrs": list(uetrs)})
    return {row.uetr: _reservation(row) for row in rows}


def standing(connection: Connection, uetrs: Collection[str]) -> dict[str, tuple[State, bytes]]:
    """The state and the leaf of these payments' reservations, by UETR."""
    rows = connection.execute(_STANDING, {"uetrs": list(uetrs)})
    return {uetr: (State(state), leaf) for uetr, state, leaf in rows}


def conversions(connection: Connection, uetrs: Collection[str]) -> list[Conversion]:
    """What these payments convert: their legs are exactly the amounts of their quotes."""
    r, q = reservations.c, quotes.c
    converted = select(r.uetr, q.source_currency, q.source_amount, q.target_currency, q.target_amount)
    rows = connection.execute(
        converted.join(quotes, q.nonce == r.quote_nonce).where(r.uetr.in_(uetrs)).order_by(r.uetr)
    )
    return [Conversion(*row) for row in rows]


def used_nonces(connection: Connection, nonces: Collection[bytes]) -> set[bytes]:
    """Those quotes that a payment has used."""
    column = reservations.c.quote_nonce
    return set(connection.execute(select(column).where(column.in_(nonces))).scalars())


def locked_stock(connection: Connection) -> dict[int, int]:
    """The stock on chain by currency; until this transaction ends, no other reserves of it."""
    rows = connection.execute(select(stock).order_by(stock.c.currency).with_for_update())
    return {row.currency: row.on_chain for row in rows}


def live_values(connection: Connection, counterparty: Address | None = None) -> dict[int, tuple[int, int]]:
    """What is reserved by currency, as (sum of amounts, number of payments); of one counterparty or of all."""
    c = reservations.c
    chosen = select(c.target_currency, func.sum(c.target_amount).label("value"), func.count().label("number"))
    chosen = chosen.where(c.state.in_(LIVE)).group_by(c.target_currency)
    if counterparty is not None:
        chosen = chosen.where(c.counterparty == counterparty)
    return {row.target_currency: (int(row.value), row.number) for row in connection.execute(chosen)}


def left_over(connection: Connection) -> list[str]:
    """The UETRs of the signed ones that stand in no live batch any more."""
    return list(connection.execute(_LEFT_OVER).scalars())


def overdue(connection: Connection, final_time: int) -> list[str]:
    """The reserved (not signed) ones whose payment deadline is before `final_time`."""
    return list(connection.execute(_OVERDUE, {"final_time": final_time}).scalars())


def move(connection: Connection, uetrs: Iterable[str], source: State, event: Event, at: int) -> list[str]:
    """Move those of `uetrs` that are in `source` by `event`; the ones that moved."""
    wanted = list(uetrs)
    if not wanted:
        return []
    asked = {"uetrs": wanted, "source": source, "target": advance(source, event)}
    moved = list(connection.execute(_MOVE, asked).scalars())
    if moved:
        connection.execute(insert(reservation_events), [{"uetr": u, "event": event, "at": at} for u in moved])
    return moved


def page(connection: Connection, state: State | None, after: str, limit: int) -> list[Reservation]:
    """Up to `limit` reservations with a UETR after `after`, in the order of their UETRs."""
    chosen = select(reservations).where(reservations.c.uetr > after).order_by(reservations.c.uetr).limit(limit)
    if state is not None:
        chosen = chosen.where(reservations.c.state == state)
    return [_reservation(row) for row in connection.execute(chosen)]


# Put together once: that takes longer than the database's answer.
_c, _b, _p = reservations.c, signed.batches.c, signed.payments.c
_HERE = _c.uetr.in_(bindparam("uetrs", expanding=True))
_ALL = select(reservations).where(_HERE)
_STANDING = select(_c.uetr, _c.state, _c.leaf).where(_HERE)
_LIVING = exists().where(_p.uetr == _c.uetr, _b.batch_hash == _p.batch_hash, _b.state == BATCH_IS_LIVE)
_LEFT_OVER = select(_c.uetr).where(_c.state == State.SIGNED, ~_LIVING)
_OVERDUE = select(_c.uetr).where(_c.state == State.RESERVED, _c.deadline < bindparam("final_time"))
_MOVE = (
    update(reservations)
    .where(_HERE, _c.state == bindparam("source"))
    .values(state=bindparam("target"))
    .returning(_c.uetr)
)


def _values(terms: PaymentTerms, quote: Quote) -> dict[str, object]:
    return {
        "uetr": terms.uetr,
        "leaf": payment_leaf(terms),
        "terms": jsontext.dump(to_document(terms)),
        "quote_nonce": quote.nonce,
        "counterparty": terms.debtor_agent,
        "target_currency": quote.target_currency,
        "target_amount": quote.target_amount,
        "deadline": terms.deadline,
        "state": State.RESERVED,
        "original_uetr": terms.original_uetr or None,
    }


def _reservation(row: Row[tuple[object, ...]]) -> Reservation:
    return Reservation(
        uetr=row.uetr,
        state=State(row.state),
        leaf=row.leaf,
        counterparty=row.counterparty,
        target_currency=row.target_currency,
        target_amount=row.target_amount,
        deadline=row.deadline,
        original_uetr=row.original_uetr or "",
    )
