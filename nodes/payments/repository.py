"""SQL of payments. A state moves by compare-and-set, and each move leaves an event row."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, literal, select, tuple_, update

from contracts.terms.attestation import Agreement
from contracts.terms.documents import from_document, to_document
from contracts.terms.merkle import InclusionPath
from contracts.terms.money import Money, currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event, State, advance
from contracts.terms.quote import Quote
from nodes.accounts.tables import accounts
from nodes.payments.record import UNKNOWN, PaymentRecord
from nodes.payments.tables import agreements, feeds, payment_events, payments
from nodes.recovery.tables import doubtful_payments
from serving.jsontext import dump, load
from serving.upsert import upsert

Place = tuple[int, str]
"""Where a payment stands in a list by time: when it was accepted (ms), and its UETR among those of the same moment."""


def add(connection: Connection, payment: PaymentRecord) -> None:
    """Record a new payment with its first event row."""
    connection.execute(insert(payments).values(_values(payment)))
    _add_event(connection, payment, "accept", payment.state, "")


def move(connection: Connection, payment: PaymentRecord, event: Event, **changes: object) -> bool:
    """Move a payment by `event` if it still stands where the record says; False when it has moved on meanwhile.

    Raises WrongState when the transition table has no such way.
    """
    target = advance(payment.state, event)
    c = payments.c
    here = (c.uetr == payment.uetr) & (c.state == payment.state.value)
    moved = connection.execute(update(payments).where(here).values(state=target.value, **changes)).rowcount == 1
    if moved:
        _add_event(connection, payment, event.value, target, str(changes.get("detail", "")))
    return moved


def complete(connection: Connection, payment: PaymentRecord) -> None:
    """Add the creditor side's commitment and decision to a payment that is still being agreed."""
    c = payments.c
    here = (c.uetr == payment.uetr) & (c.state == payment.state.value)
    values = {
        "creditor_commitment": payment.creditor_commitment,
        "creditor_decision": payment.creditor_decision,
    }
    connection.execute(update(payments).where(here).values(values))


def price_anew(connection: Connection, payment: PaymentRecord) -> None:
    """Replace the price and the deadline of a released payment that is to be screened at its new price."""
    values = _values(payment)
    c = payments.c
    here = (c.uetr == payment.uetr) & (c.state == State.ACCEPTED.value)
    connection.execute(update(payments).where(here).values(values))


def replace_open(connection: Connection, payment: PaymentRecord) -> None:
    """Replace what is known of a payment that is still open by what its batch says; it stays in its state."""
    c = payments.c
    here = (c.uetr == payment.uetr) & (c.state == payment.state.value)
    connection.execute(update(payments).where(here).values(_values(payment)))


def find(connection: Connection, uetr: str) -> PaymentRecord | None:
    row = connection.execute(select(payments).where(payments.c.uetr == uetr)).one_or_none()
    return None if row is None else _record(row)


def find_all(connection: Connection, uetrs: Iterable[str]) -> list[PaymentRecord]:
    rows = connection.execute(select(payments).where(payments.c.uetr.in_(list(uetrs))))
    return [_record(row) for row in rows]


def in_state(connection: Connection, state: State, side: str, limit: int) -> list[PaymentRecord]:
    """The oldest payments of a side in a state. Those in doubt are left out here and below: they wait as they are."""
    c = payments.c
    here = (c.state == state.value) & (c.side == side) & _certain()
    rows = connection.execute(select(payments).where(here).order_by(c.accepted_at, c.uetr).limit(limit))
    return [_record(row) for row in rows]


def to_screen(connection: Connection, now: int, limit: int) -> list[PaymentRecord]:
    """Accepted payments of our customers that can still make their deadline, those that end first before others."""
    return _waiting(connection, now, limit, payments.c.state == State.ACCEPTED.value)


def to_propose(connection: Connection, now: int, without: Collection[str], limit: int) -> list[PaymentRecord]:
    """Screened payments, as `to_screen`, that their creditor agents have not answered; none of these agents."""
    c = payments.c
    here = (c.state == State.SCREENED.value) & (c.creditor_commitment == UNKNOWN) & c.creditor_agent.not_in(without)
    return _waiting(connection, now, limit, here)


def to_reserve(connection: Connection, now: int, without: Collection[str], limit: int) -> list[PaymentRecord]:
    """Screened payments, as `to_screen`, that their creditor agents agreed to; none of these providers."""
    c = payments.c
    here = (c.state == State.SCREENED.value) & (c.creditor_commitment != UNKNOWN) & c.provider.not_in(without)
    return _waiting(connection, now, limit, here)


def to_batch(
    connection: Connection, now: int, contract: str, peers: Collection[str], theirs: bool, limit: int
) -> list[PaymentRecord]:
    """Agreed payments, as `to_screen`, priced for this Settlement, that name one of these peers (`theirs`) or none."""
    c = payments.c
    named = c.creditor_agent.in_(peers) | c.provider.in_(peers)
    here = (c.state == State.AGREED.value) & c.contract.in_([contract, ""])
    return _waiting(connection, now, limit, here & (named if theirs else ~named))


def _waiting(connection: Connection, now: int, limit: int, here: ColumnElement[bool]) -> list[PaymentRecord]:
    """What a step of the worker takes up next. With several workers a process claims these rows here."""
    c = payments.c
    chosen = here & (c.side == "debtor") & (c.deadline > now) & _certain()
    rows = connection.execute(select(payments).where(chosen).order_by(c.deadline, c.uetr).limit(limit))
    return [_record(row) for row in rows]


def held(connection: Connection, limit: int) -> list[PaymentRecord]:
    """The payments that officers must decide about, those that end first before others."""
    c = payments.c
    here = (c.state == State.HELD.value) & _certain()
    rows = connection.execute(select(payments).where(here).order_by(c.deadline).limit(limit))
    return [_record(row) for row in rows]


def returned(connection: Connection, original_uetr: str) -> tuple[int, int]:
    """What the returns of a payment took and gave so far, in minor units: (source, target). Ended ones do not count."""
    c = payments.c
    ended = [State.REFUSED.value, State.EXPIRED.value, State.CANCELLED.value]
    sums = select(func.coalesce(func.sum(c.source_amount), 0), func.coalesce(func.sum(c.target_amount), 0))
    row = connection.execute(sums.where(c.original_uetr == original_uetr, c.state.not_in(ended))).one()
    return int(row[0]), int(row[1])


def overdue(connection: Connection, final_time: int) -> list[PaymentRecord]:
    """Payments that can still move although their deadline is past in a final block."""
    open_states = [state.value for state in State if not state.final]
    c = payments.c
    rows = connection.execute(select(payments).where(c.state.in_(open_states), c.deadline < final_time, _certain()))
    return [_record(row) for row in rows]


def priced_for_others(connection: Connection, contract: str) -> list[PaymentRecord]:
    """The debtor side's payments under way whose price was signed for another Settlement than `contract`. What is held
    is priced anew when it is released."""
    under_way = [state.value for state in State if not state.final and state is not State.HELD]
    c = payments.c
    here = (c.state.in_(under_way)) & (c.side == "debtor") & c.contract.not_in([contract, ""])
    rows = connection.execute(select(payments).where(here, _certain()))
    return [_record(row) for row in rows]


def open_of(connection: Connection, debtor_agent: str) -> list[str]:
    """The UETRs of a debtor agent's payments that can still move."""
    open_states = [state.value for state in State if not state.final]
    c = payments.c
    rows = connection.execute(select(c.uetr).where(c.state.in_(open_states), c.debtor_agent == debtor_agent))
    return list(rows.scalars())


def places(
    connection: Connection, account: str, side: str, state: State | None, since: int, before: Place | None, limit: int
) -> list[Place]:
    """The newest payments of a side of an account: accepted at `since` (ms) or later, and before a place."""
    c = payments.c
    here = (c.account == account) & (c.side == side) & (c.accepted_at >= since)
    if state is not None:
        here &= c.state == state.value
    if before is not None:
        here &= tuple_(c.accepted_at, c.uetr) < tuple_(*map(literal, before))
    newest = select(c.accepted_at, c.uetr).where(here).order_by(c.accepted_at.desc(), c.uetr.desc()).limit(limit)
    return [(row.accepted_at, row.uetr) for row in connection.execute(newest)]


def events_of(connection: Connection, uetr: str) -> Sequence[Row[Any]]:
    c = payment_events.c
    return connection.execute(select(payment_events).where(c.uetr == uetr).order_by(c.number)).all()


def events_after(connection: Connection, owner: str, place: int, uetr: str, limit: int) -> Sequence[Row[Any]]:
    """The events behind a place of the payments on an owner's accounts, in order; of one payment where it is named."""
    e, p = payment_events.c, payments.c
    here = (e.owner == owner) & (e.place > place)
    if uetr:
        here &= e.uetr == uetr
    chosen = select(payment_events, p.account, p.side).join_from(payment_events, payments, e.uetr == p.uetr)
    return connection.execute(chosen.where(here).order_by(e.place).limit(limit)).all()


def last_places(connection: Connection, owners: Iterable[str]) -> dict[str, int]:
    """How many events each of these owners' payments have had; owners without any are left out."""
    rows = connection.execute(select(feeds).where(feeds.c.owner.in_(list(owners))))
    return {row.owner: row.last for row in rows}


def add_agreement(
    connection: Connection, uetr: str, account: str, agreement: Agreement, path: InclusionPath, signature: bytes
) -> None:
    """Keep what a peer signed. A later agreement of the same peer to the same payment replaces the earlier."""
    c = agreements.c
    connection.execute(agreements.delete().where(c.uetr == uetr, c.account == account))
    values = {
        "uetr": uetr,
        "account": account,
        "agreement": dump(to_document(agreement)),
        "path": dump(to_document(path)),
        "signature": signature,
    }
    connection.execute(insert(agreements).values(values))


def agreements_of(connection: Connection, uetr: str) -> list[tuple[str, Agreement, InclusionPath, bytes]]:
    """(account, agreement, path, signature) of each peer that agreed to a payment."""
    rows = connection.execute(select(agreements).where(agreements.c.uetr == uetr).order_by(agreements.c.account))
    return [
        (
            row.account,
            from_document(Agreement, load(row.agreement)),
            from_document(InclusionPath, load(row.path)),
            row.signature,
        )
        for row in rows
    ]


def _certain() -> ColumnElement[bool]:
    return payments.c.uetr.not_in(select(doubtful_payments.c.uetr))


def _add_event(connection: Connection, payment: PaymentRecord, event: str, state: State, detail: str) -> None:
    owner, place = _next_place(connection, payment.account)
    number = select(func.count()).where(payment_events.c.uetr == payment.uetr).scalar_subquery()
    told = {"uetr": payment.uetr, "event": event, "state": state.value, "detail": detail}
    counted = {"number": number, "owner": owner, "place": place, "at": time.time_ns() // 1_000_000}
    connection.execute(insert(payment_events).values(**told, **counted))


def _next_place(connection: Connection, account: str) -> tuple[str, int]:
    """The account's owner, and the place of the next event of the owner's payments."""
    owner = select(accounts.c.owner, literal(1)).where(accounts.c.id == account)
    first = upsert(connection, feeds).from_select(["owner", "last"], owner)
    counted = first.on_conflict_do_update(index_elements=["owner"], set_={"last": feeds.c.last + 1})
    row = connection.execute(counted.returning(feeds.c.owner, feeds.c.last)).one()
    return row.owner, row.last


def _values(payment: PaymentRecord) -> dict[str, object]:
    values = dict(vars(payment))
    source, target = values.pop("source"), values.pop("target")
    return values | {
        "state": payment.state.value,
        "source_currency": source.currency.alpha,
        "source_amount": source.minor,
        "target_currency": target.currency.alpha,
        "target_amount": target.minor,
        "debtor": dump(to_document(payment.debtor)),
        "creditor": dump(to_document(payment.creditor)),
        "quote": dump(to_document(payment.quote)),
    }


def _record(row: Row[Any]) -> PaymentRecord:
    values = dict(row._mapping)
    source = Money(values.pop("source_amount"), currency(values.pop("source_currency")))
    target = Money(values.pop("target_amount"), currency(values.pop("target_currency")))
    return PaymentRecord(
        **values
        | {
            "state": State(row.state),
            "source": source,
            "target": target,
            "debtor": from_document(Party, load(row.debtor)),
            "creditor": from_document(Party, load(row.creditor)),
            "quote": from_document(Quote, load(row.quote)),
        }
    )
