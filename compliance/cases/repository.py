"""The SQL of cases, alerts and acts. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, insert, or_, select, update

import compliance.log.repository as entries
from compliance.cases.acts import Act
from compliance.repository import Key
from compliance.screening.decide import CLEAR, WAITING
from compliance.screening.record import Decided
from compliance.tables import acts, alerts, cases, decisions, screened_days
from serving.rows import insert_all
from serving.upsert import upsert

OPEN, RELEASED, REFUSED = "open", "released", "refused"
STATES = (OPEN, RELEASED, REFUSED)
PRIORITIES = ("low", "normal", "high", "urgent")
NORMAL, URGENT = 1, 3


@dataclass(frozen=True)
class Case:
    """A payment and side that was held. `opened` is its place in the queue; times in seconds of chain time; `closed_at`
    is 0 while it is open, `assigned` empty while it is nobody's."""

    uetr: str
    side: str
    opened: int
    opened_at: int
    due: int
    state: str
    closed_at: int
    score: int
    priority: int
    assigned: str
    escalated: bool


@dataclass(frozen=True)
class Filter:
    """Which cases of the queue. None leaves a question open; `assigned` empty asks for those that are nobody's."""

    least_priority: int = 0
    assigned: str | None = None
    escalated: bool | None = None
    due_before: int | None = None
    list_name: str | None = None
    outcome: str | None = None


def follow(connection: Connection, after: int, new: Sequence[tuple[Decided, Decided | None]]) -> None:
    """Open and close cases as decisions say, each with the one before it, written behind the log's number `after`; and
    remember what was alerted."""
    for number, (decided, earlier) in enumerate(new, start=after + 1):
        if decided.verdict.outcome != CLEAR:
            _alert(connection, decided)
        if decided.verdict.waits:
            _open(connection, number, decided)
        elif earlier is not None and earlier.verdict.waits:
            state = RELEASED if decided.verdict.outcome == CLEAR else REFUSED
            change(connection, _key(decided), state=state, closed_at=decided.inputs.facts.decided_at)


def count_screened(connection: Connection, day: str, outcomes: Mapping[str, int]) -> None:
    """Add to how many payments were screened on a day, by outcome."""
    for outcome, payments in outcomes.items():
        new = {"at_day": day, "of_outcome": outcome, "more": payments}
        if connection.execute(_MORE_SCREENED, new).rowcount == 0:
            connection.execute(insert(screened_days).values(day=day, outcome=outcome, payments=payments))


def queue(connection: Connection, after: int, now: int, wanted: Filter, limit: int) -> list[Case]:
    """Open cases that are not past their deadline at chain time `now`, the oldest first, behind the place `after`."""
    chosen = select(cases).where(cases.c.state == OPEN, cases.c.due >= now, cases.c.opened > after)
    chosen = _filtered(chosen, wanted).order_by(cases.c.opened).limit(limit)
    return [_case(row) for row in connection.execute(chosen)]


def find(connection: Connection, key: Key) -> Case | None:
    row = connection.execute(select(cases).where(_about(cases, key))).one_or_none()
    return None if row is None else _case(row)


def change(connection: Connection, key: Key, **values: Any) -> None:
    connection.execute(update(cases).where(_about(cases, key)).values(values))


def earlier(connection: Connection, key: Key, tags: Sequence[bytes], limit: int) -> list[Case]:
    """Other cases, the newest first, in which one of these parties stands."""
    whose = or_(decisions.c.debtor_tag.in_(tags), decisions.c.creditor_tag.in_(tags))
    same = and_(decisions.c.uetr == cases.c.uetr, decisions.c.side == cases.c.side)
    other = or_(cases.c.uetr != key[0], cases.c.side != key[1])
    chosen = select(cases).where(other, exists().where(same, whose)).order_by(cases.c.opened.desc()).limit(limit)
    return [_case(row) for row in connection.execute(chosen)]


def tags_of(connection: Connection, key: Key) -> tuple[bytes | None, bytes | None]:
    """The tags of a payment's debtor and creditor."""
    chosen = select(decisions.c.debtor_tag, decisions.c.creditor_tag).where(_about(decisions, key))
    row = connection.execute(chosen.order_by(decisions.c.sequence.desc()).limit(1)).one()
    return row.debtor_tag, row.creditor_tag


def add_act(connection: Connection, act: Act) -> None:
    """Append what an officer did to the log."""
    add_acts(connection, [act])


def add_acts(connection: Connection, new: Sequence[Act]) -> None:
    """Append acts to the log in their order."""
    records, end = [act.record for act in new], entries.frontier(connection)
    entries.append(connection, end, records)
    rows = [
        {"sequence": end.size + place, "uetr": act.uetr, "side": act.side, "record": record}
        for place, (act, record) in enumerate(zip(new, records, strict=True), start=1)
    ]
    insert_all(connection, acts, rows)


def acts_of(connection: Connection, key: Key) -> list[Act]:
    """What officers did in a case, in its order."""
    chosen = select(acts.c.record).where(_about(acts, key)).order_by(acts.c.sequence)
    return [Act.read(row.record) for row in connection.execute(chosen)]


_MORE_SCREENED = (
    update(screened_days)
    .where(screened_days.c.day == bindparam("at_day"), screened_days.c.outcome == bindparam("of_outcome"))
    .values(payments=screened_days.c.payments + bindparam("more"))
)


def _filtered(chosen: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.least_priority:
        chosen = chosen.where(cases.c.priority >= wanted.least_priority)
    if wanted.assigned is not None:
        chosen = chosen.where(cases.c.assigned == wanted.assigned)
    if wanted.escalated is not None:
        chosen = chosen.where(cases.c.escalated == int(wanted.escalated))
    if wanted.due_before is not None:
        chosen = chosen.where(cases.c.due < wanted.due_before)
    if wanted.list_name is not None:
        same = and_(alerts.c.uetr == cases.c.uetr, alerts.c.side == cases.c.side)
        chosen = chosen.where(exists().where(same, alerts.c.list == wanted.list_name))
    if wanted.outcome is not None:
        later = decisions.alias()
        newest = ~exists().where(
            later.c.uetr == decisions.c.uetr, later.c.side == decisions.c.side, later.c.number > decisions.c.number
        )
        same = and_(decisions.c.uetr == cases.c.uetr, decisions.c.side == cases.c.side)
        chosen = chosen.where(exists().where(same, decisions.c.outcome == wanted.outcome, newest))
    return chosen


def _open(connection: Connection, number: int, decided: Decided) -> None:
    uetr, side = _key(decided)
    again = {"state": OPEN, "closed_at": 0, "due": decided.hold_until, "score": decided.verdict.score}
    first = {"opened": number, "opened_at": decided.inputs.facts.asked_at, "priority": NORMAL, "assigned": ""}
    new = upsert(connection, cases).values(uetr=uetr, side=side, escalated=0, **first, **again)
    connection.execute(new.on_conflict_do_update(index_elements=["uetr", "side"], set_=again))


def _alert(connection: Connection, decided: Decided) -> None:
    uetr, side = _key(decided)
    verdict = decided.verdict
    named = verdict.rule == "name"
    lists = sorted({found.match.list_name for found in verdict.matches}) if named else [""]
    common = {"uetr": uetr, "side": side, "rule": verdict.rule, "outcome": verdict.outcome}
    if verdict.outcome in WAITING:
        common["outcome"] = WAITING[0]
    rows = [{**common, "list": each, "at": decided.inputs.facts.decided_at} for each in lists]
    connection.execute(upsert(connection, alerts).on_conflict_do_nothing(), rows)


def _about(table: Any, key: Key) -> Any:
    return and_(table.c.uetr == key[0], table.c.side == key[1])


def _key(decided: Decided) -> Key:
    return decided.inputs.screening.uetr, decided.inputs.screening.side


def _case(row: Row[Any]) -> Case:
    values: Mapping[str, Any] = row._mapping
    return Case(**{**values, "escalated": bool(row.escalated)})
