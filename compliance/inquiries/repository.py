"""The SQL of inquiries. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from compliance.cases.repository import OPEN
from compliance.tables import cases, inquiries

ASKED, RECEIVED = "asked", "received"


@dataclass(frozen=True)
class KnownInquiry:
    """An inquiry that we asked or received. `peer` is the other institution's account; question and answer are
    commitments to notes; times in seconds of chain time, `answered_at` 0 until it was answered."""

    id: str
    direction: str
    uetr: str
    side: str
    peer: str
    question: bytes
    asked_at: int
    answer: bytes | None = None
    answered_at: int = 0


def add(connection: Connection, new: KnownInquiry) -> None:
    connection.execute(insert(inquiries).values(vars(new)))


def find(connection: Connection, ids: Iterable[str]) -> Mapping[str, KnownInquiry]:
    """Those that are known, by id."""
    rows = connection.execute(select(inquiries).where(inquiries.c.id.in_(list(ids))))
    return {row.id: _inquiry(row) for row in rows}


def answer(connection: Connection, inquiry: str, note: bytes, now: int) -> bool:
    """Answer an inquiry that nobody has answered yet."""
    unanswered = and_(inquiries.c.id == inquiry, inquiries.c.answered_at == 0)
    done = connection.execute(update(inquiries).where(unanswered).values(answer=note, answered_at=now))
    return done.rowcount == 1


def to_ask(connection: Connection, now: int, limit: int) -> list[KnownInquiry]:
    """Asked, not answered, and about a hold that still waits at chain time `now`."""
    same = and_(cases.c.uetr == inquiries.c.uetr, cases.c.side == inquiries.c.side)
    waiting = and_(cases.c.state == OPEN, cases.c.due >= now)
    chosen = select(inquiries).join(cases, same).where(waiting, inquiries.c.direction == ASKED)
    chosen = chosen.where(inquiries.c.answered_at == 0).order_by(inquiries.c.asked_at).limit(limit)
    return [_inquiry(row) for row in connection.execute(chosen)]


def received(connection: Connection, answered: bool, after: int, limit: int) -> list[tuple[int, KnownInquiry]]:
    """What others asked, the oldest first, answered or not, each with its place; places are above `after`."""
    place = func.row_number().over(order_by=(inquiries.c.asked_at, inquiries.c.id)).label("place")
    state = inquiries.c.answered_at > 0 if answered else inquiries.c.answered_at == 0
    ordered = select(place, inquiries).where(inquiries.c.direction == RECEIVED, state).subquery()
    rows = connection.execute(select(ordered).where(ordered.c.place > after).order_by(ordered.c.place).limit(limit))
    return [(row.place, _inquiry(row)) for row in rows]


def asked(connection: Connection, uetr: str, side: str) -> int:
    """How many inquiries we made about a payment."""
    ours = and_(inquiries.c.direction == ASKED, inquiries.c.uetr == uetr, inquiries.c.side == side)
    return int(connection.execute(select(func.count()).select_from(inquiries).where(ours)).scalar_one())


def open_of(connection: Connection, peer: str) -> int:
    """How many inquiries of another institution wait for an answer."""
    waiting = and_(inquiries.c.direction == RECEIVED, inquiries.c.peer == peer, inquiries.c.answered_at == 0)
    return int(connection.execute(select(func.count()).select_from(inquiries).where(waiting)).scalar_one())


def _inquiry(row: Row[Any]) -> KnownInquiry:
    names = KnownInquiry.__dataclass_fields__
    return KnownInquiry(**{name: getattr(row, name) for name in names})
