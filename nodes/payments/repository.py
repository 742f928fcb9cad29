"""SQL of payments. A state moves by compare-and-set, and each move leaves an event row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    update,
)

from contracts.terms.documents import from_document, to_document
from contracts.terms.money import Money, currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event, State, advance
from contracts.terms.quote import Quote
from nodes.accounts.tables import accounts
from nodes.metadata import signed
from nodes.payments import events
from nodes.payments.record import UNKNOWN, PaymentRecord
from nodes.payments.tables import payment_events, payments
from nodes.recovery.tables import doubtful_payments
from serving.jsontext import dump, load
from serving.rows import at_most, insert_all

_FIELDS = tuple(each.name for each in fields(PaymentRecord))
_COLUMNS = tuple(payments.c.keys())

Place = tuple[int, str]
"""Where a payment stands in a list by time: when it was accepted (ms), and its UETR among those of the same moment."""


@dataclass(frozen=True)
class Move:
    """A payment that stands in `state` moves by an event; `changes` are the columns that change with its state."""

    uetr: str
    state: State
    event: Event
    changes: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, payment: PaymentRecord, event: Event, changes: Mapping[str, object] | None = None) -> Move:
        """Of a payment as its record says it stands."""
        return cls(payment.uetr, payment.state, event, changes or {})

    @property
    def target(self) -> State:
        return advance(self.state, self.event)


@dataclass(frozen=True)
class Standing:
    """Where a payment stands, who owns its account, and how many events it has had."""

    state: State
    owner: str
    events: int


def add(connection: Connection, payment: PaymentRecord) -> None:
    """Record a new payment with its first event row."""
    add_all(connection, [payment])


def add_all(connection: Connection, new: Sequence[PaymentRecord]) -> None:
    """Record new payments, each with its first event row."""
    if not new:
        return
    insert_all(connection, payments, [_values(payment) for payment in new])
    owners = events.owners_of(connection, {payment.account for payment in new})
    told = [events.Told(each.uetr, owners[each.account], 0, "accept", each.state) for each in new]
    events.add(connection, told)


def move(connection: Connection, payment: PaymentRecord, event: Event, **changes: object) -> bool:
    """Move a payment by `event` if it still stands where the record says; False when it has moved on meanwhile.

    Raises WrongState when the transition table has no such way.
    """
    return bool(move_all(connection, [Move.of(payment, event, changes)]))


def move_all(connection: Connection, moves: Sequence[Move]) -> set[str]:
    """As `move` for each, no payment twice: the UETRs of those that moved."""
    targets = {move.uetr: move.target for move in moves}
    assert len(targets) == len(moves), "a payment stands twice in a list"
    standing = standing_of(connection, list(targets)) if moves else {}
    here = [move for move in moves if move.uetr in standing and standing[move.uetr].state is move.state]
    by_columns: dict[tuple[str, ...], list[Move]] = {}
    for each in here:
        by_columns.setdefault(tuple(each.changes), []).append(each)
    for columns, alike in by_columns.items():
        _move_alike(connection, columns, alike)
    told = []
    for each in here:
        known, detail = standing[each.uetr], str(each.changes.get("detail", ""))
        told.append(events.Told(each.uetr, known.owner, known.events, each.event.value, targets[each.uetr], detail))
    events.add(connection, told)
    return {move.uetr for move in here}


def standing_of(connection: Connection, uetrs: Sequence[str]) -> dict[str, Standing]:
    """Where payments stand. A writing transaction is alone, or fails: nobody moves them before it ends."""
    rows = connection.execute(_STANDING, {"uetrs": uetrs})
    return {uetr: Standing(State(state), owner, count) for uetr, state, owner, count in rows}


def _move_alike(connection: Connection, columns: Sequence[str], moves: Sequence[Move]) -> None:
    """Compare and set, of moves that change the same columns."""
    rows = [
        {"moved": move.uetr, "source": move.state.value, "target": move.target.value}
        | {f"new_{column}": move.changes[column] for column in columns}
        for move in moves
    ]
    moved = connection.execute(_moving(tuple(columns)), rows).rowcount
    assert moved == len(rows), "a payment moved inside this transaction"


@cache
def _moving(columns: tuple[str, ...]) -> Update:
    c = payments.c
    here = (c.uetr == bindparam("moved")) & (c.state == bindparam("source"))
    values = {"state": bindparam("target")} | {column: bindparam(f"new_{column}") for column in columns}
    return update(payments).where(here).values(values)


def complete(connection: Connection, answered: Sequence[PaymentRecord]) -> None:
    """Add the creditor side's commitments and decisions to payments that are still being agreed."""
    if not answered:
        return
    c = payments.c
    here = (c.uetr == bindparam("answered")) & (c.state == bindparam("here"))
    values = {"creditor_commitment": bindparam("commitment"), "creditor_decision": bindparam("decision")}
    rows = [
        {
            "answered": payment.uetr,
            "here": payment.state.value,
            "commitment": payment.creditor_commitment,
            "decision": payment.creditor_decision,
        }
        for payment in answered
    ]
    connection.execute(update(payments).where(here).values(values), rows)


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
    row = connection.execute(_ONE, {"named": uetr}).one_or_none()
    return None if row is None else _record(row)


def find_all(connection: Connection, uetrs: Iterable[str]) -> list[PaymentRecord]:
    return [_record(row) for row in connection.execute(_ALL, {"uetrs": list(uetrs)})]


def in_state(connection: Connection, state: State) -> set[str]:
    """The UETRs of the payments in a state. Those in doubt are left out here and below: they wait as they are."""
    return set(connection.execute(_IN_STATE, {"state": state.value}).scalars())


def to_screen(connection: Connection, now: int, limit: int) -> list[PaymentRecord]:
    """Accepted payments of our customers that can still make their deadline, those that end first before others."""
    return _waiting(connection, _TO_SCREEN, now, limit)


def to_propose(connection: Connection, now: int, without: Collection[str], limit: int) -> list[PaymentRecord]:
    """Screened payments, as `to_screen`, that their creditor agents have not answered; none of these agents."""
    return _waiting(connection, _TO_PROPOSE, now, limit, without=without)


def to_reserve(connection: Connection, now: int, without: Collection[str], limit: int) -> list[PaymentRecord]:
    """Screened payments, as `to_screen`, that their creditor agents agreed to; none of these providers."""
    return _waiting(connection, _TO_RESERVE, now, limit, without=without)


def to_batch(
    connection: Connection, now: int, contract: str, peers: Collection[str], theirs: bool, limit: int
) -> list[PaymentRecord]:
    """Agreed payments, as `to_screen`, priced for this Settlement, that name one of these peers (`theirs`) or none."""
    chosen = _TO_BATCH_THEIRS if theirs else _TO_BATCH
    return _waiting(connection, chosen, now, limit, contracts=[contract, ""], peers=peers)


def _waiting(
    connection: Connection, chosen: Select[Any], now: int, limit: int, **lists: Collection[str]
) -> list[PaymentRecord]:
    """What a step of the worker takes up next. With several workers a process claims these rows here."""
    named = {name: list(each) for name, each in lists.items()}
    return [_record(row) for row in connection.execute(at_most(limit, chosen), {"now": now, **named})]


def held(connection: Connection, limit: int) -> list[PaymentRecord]:
    """The payments that officers must decide about, those that end first before others."""
    return [_record(row) for row in connection.execute(at_most(limit, _HELD))]


def returned(connection: Connection, original_uetr: str) -> tuple[int, int]:
    """What the returns of a payment took and gave so far, in minor units: (source, target). Ended ones do not count."""
    c = payments.c
    ended = [State.REFUSED.value, State.EXPIRED.value, State.CANCELLED.value]
    sums = select(func.coalesce(func.sum(c.source_amount), 0), func.coalesce(func.sum(c.target_amount), 0))
    row = connection.execute(sums.where(c.original_uetr == original_uetr, c.state.not_in(ended))).one()
    return int(row[0]), int(row[1])


def overdue(connection: Connection, final_time: int) -> list[PaymentRecord]:
    """Payments that can still move although their deadline is past in a final block."""
    return [_record(row) for row in connection.execute(_OVERDUE, {"final_time": final_time})]


def priced_for_others(connection: Connection, contract: str) -> list[PaymentRecord]:
    """The debtor side's payments under way whose price was signed for another Settlement than `contract`. What is held
    is priced anew when it is released."""
    return [_record(row) for row in connection.execute(_PRICED_FOR_OTHERS, {"contracts": [contract, ""]})]


def under_way(connection: Connection) -> dict[str, int]:
    """How many payments of our customers wait to settle, by creditor agent; those that officers hold do not count."""
    return dict(connection.execute(_UNDER_WAY).all())


def settled_by_agent(connection: Connection, batch_hashes: Collection[bytes]) -> dict[str, int]:
    """How many payments these batches of ours hold, by creditor agent."""
    c, in_batch = payments.c, signed.payments.c
    counted = select(c.creditor_agent, func.count()).join_from(signed.payments, payments, c.uetr == in_batch.uetr)
    chosen = counted.where(in_batch.batch_hash.in_(list(batch_hashes))).group_by(c.creditor_agent)
    return dict(connection.execute(chosen).all())


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


# What the steps of a worker ask again and again is put together once: that takes longer than the database's answer.


def _any(name: str) -> BindParameter[Any]:
    """A list among the parameters of a statement."""
    return bindparam(name, expanding=True)


def _taken_up(here: ColumnElement[bool]) -> Select[Any]:
    c = payments.c
    chosen = here & (c.side == "debtor") & (c.deadline > bindparam("now")) & _CERTAIN
    return select(payments).where(chosen).order_by(c.deadline, c.uetr)


_c, _events = payments.c, payment_events.c
_OPEN = [state.value for state in State if not state.final]
_MOVING = [state for state in _OPEN if state != State.HELD.value]
_CERTAIN = _c.uetr.not_in(select(doubtful_payments.c.uetr))
_ONE = select(payments).where(_c.uetr == bindparam("named"))
_ALL = select(payments).where(_c.uetr.in_(_any("uetrs")))
_IN_STATE = select(_c.uetr).where(_c.state == bindparam("state"), _CERTAIN)
_STANDING = (
    select(
        _c.uetr,
        _c.state,
        accounts.c.owner,
        select(func.count()).where(_events.uetr == _c.uetr).scalar_subquery(),
    )
    .join_from(payments, accounts, accounts.c.id == _c.account)
    .where(_c.uetr.in_(_any("uetrs")))
)
_TO_SCREEN = _taken_up(_c.state == State.ACCEPTED.value)
_TO_PROPOSE = _taken_up(
    (_c.state == State.SCREENED.value) & (_c.creditor_commitment == UNKNOWN) & _c.creditor_agent.not_in(_any("without"))
)
_TO_RESERVE = _taken_up(
    (_c.state == State.SCREENED.value) & (_c.creditor_commitment != UNKNOWN) & _c.provider.not_in(_any("without"))
)
_AGREED = (_c.state == State.AGREED.value) & _c.contract.in_(_any("contracts"))
_NAMED = _c.creditor_agent.in_(_any("peers")) | _c.provider.in_(_any("peers"))
_TO_BATCH, _TO_BATCH_THEIRS = _taken_up(_AGREED & ~_NAMED), _taken_up(_AGREED & _NAMED)
_HELD = select(payments).where((_c.state == State.HELD.value) & _CERTAIN).order_by(_c.deadline)
_OVERDUE = select(payments).where(_c.state.in_(_OPEN), _c.deadline < bindparam("final_time"), _CERTAIN)
_PRICED_FOR_OTHERS = select(payments).where(
    _c.state.in_(_MOVING), _c.side == "debtor", _c.contract.not_in(_any("contracts")), _CERTAIN
)
_UNDER_WAY = (
    select(_c.creditor_agent, func.count())
    .where(_c.side == "debtor", _c.state.in_(_MOVING))
    .group_by(_c.creditor_agent)
)


def _values(payment: PaymentRecord) -> dict[str, object]:
    values = {name: getattr(payment, name) for name in _FIELDS}
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
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    values["source"] = Money(values.pop("source_amount"), currency(values.pop("source_currency")))
    values["target"] = Money(values.pop("target_amount"), currency(values.pop("target_currency")))
    values["state"] = State(values["state"])
    values["debtor"], values["creditor"] = _party(values["debtor"]), _party(values["creditor"])
    values["quote"] = _quote(values["quote"])
    # A frozen dataclass sets each of its thirty fields by a call: half of what reading a list of payments takes.
    record = object.__new__(PaymentRecord)
    vars(record).update(values)
    return record


@lru_cache(maxsize=8192)
def _quote(text: str) -> Quote:
    """Each step of a payment reads it anew."""
    return from_document(Quote, load(text))


@lru_cache(maxsize=4096)
def _party(text: str) -> Party:
    """The same few merchants and customers again and again."""
    return from_document(Party, load(text))
