"""SQL of payments' event rows: each event of a payment, and its place among all events of the account's owner."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from contracts.terms.payment import State
from nodes.accounts.tables import accounts
from nodes.payments.tables import feeds, payment_events, payments
from serving.rows import insert_all
from serving.upsert import replace_all

_FINAL = [state.value for state in State if state.final]


@dataclass(frozen=True)
class Told:
    """What happened to a payment of an owner, the `number` of the event, and the state it is in since."""

    uetr: str
    owner: str
    number: int
    event: str
    state: State
    detail: str = ""


def add(connection: Connection, told: Sequence[Told]) -> None:
    """Append an event row of each, no payment twice."""
    if not told:
        return
    places = _take_places(connection, Counter(each.owner for each in told))
    now = time.time_ns() // 1_000_000
    rows = []
    for each in told:
        places[each.owner] += 1
        row = {"uetr": each.uetr, "number": each.number, "event": each.event, "state": each.state.value}
        rows.append(row | {"detail": each.detail, "at": now, "owner": each.owner, "place": places[each.owner]})
    insert_all(connection, payment_events, rows)


def of_payment(connection: Connection, uetr: str) -> Sequence[Row[Any]]:
    """All events of a payment in order."""
    c = payment_events.c
    return connection.execute(select(payment_events).where(c.uetr == uetr).order_by(c.number)).all()


def after(
    connection: Connection, owner: str, place: int, uetr: str, limit: int, ends: bool = False
) -> Sequence[Row[Any]]:
    """The events behind a place of the payments on an owner's accounts, in order; of one payment where it is named,
    and only those by which one `ends`."""
    e, p = payment_events.c, payments.c
    here = (e.owner == owner) & (e.place > place)
    if uetr:
        here &= e.uetr == uetr
    if ends:
        here &= e.state.in_(_FINAL)
    chosen = select(payment_events, p.account, p.side).join_from(payment_events, payments, e.uetr == p.uetr)
    return connection.execute(chosen.where(here).order_by(e.place).limit(limit)).all()


def last_places(connection: Connection, owners: Iterable[str]) -> dict[str, int]:
    """How many events each of these owners' payments have had; owners without any are left out."""
    rows = connection.execute(_LAST_PLACES, {"owners": list(owners)})
    return {row.owner: row.last for row in rows}


def owners_of(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Who owns these accounts."""
    c = accounts.c
    return {row.id: row.owner for row in connection.execute(select(c.id, c.owner).where(c.id.in_(list(ids))))}


def _take_places(connection: Connection, counts: Counter[str]) -> dict[str, int]:
    """Take the next places of each owner: the last one before them."""
    last = dict.fromkeys(counts, 0) | last_places(connection, counts)
    taken = [{"owner": owner, "last": last[owner] + count} for owner, count in sorted(counts.items())]
    replace_all(connection, feeds, "last", taken)
    return last


_LAST_PLACES = select(feeds).where(feeds.c.owner.in_(bindparam("owners", expanding=True)))
