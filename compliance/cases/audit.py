"""Whether what officers wrote and what cases are is what the log says."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, exists, select

from compliance import repository
from compliance.cases.acts import ASSIGN, ESCALATE, PRIORITISE, Act
from compliance.cases.repository import NORMAL, PRIORITIES, URGENT
from compliance.repository import Key
from compliance.screening.decide import WAITING
from compliance.tables import acts, cases, decisions


def faults(connection: Connection) -> Iterator[str]:
    """What is wrong with acts and cases, in words."""
    standing = dict[Key, tuple[int, str, int]]()
    for row in connection.execute(select(acts).order_by(acts.c.sequence)):
        try:
            act = Act.read(row.record)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield f"act {row.sequence} cannot be read"
            continue
        if (act.uetr, act.side) != (row.uetr, row.side):
            yield f"act {row.sequence} is filed under another case than its own"
        if act.note is not None:
            note = repository.notes(connection, [act.note]).get(act.note)
            if note is None or not note.opens:
                yield f"the note of act {row.sequence} is not what was committed to"
        standing[act.uetr, act.side] = _after(act, standing.get((act.uetr, act.side), (NORMAL, "", 0)))
    for row in connection.execute(select(cases)):
        if (row.priority, row.assigned, row.escalated) != standing.get((row.uetr, row.side), (NORMAL, "", 0)):
            yield f"the case {row.uetr} {row.side} is not as its acts left it"
    for row in connection.execute(_WITHOUT_CASE):
        yield f"{row.uetr} {row.side} was held, and has no case"


_same = and_(cases.c.uetr == decisions.c.uetr, cases.c.side == decisions.c.side)
_WITHOUT_CASE = select(decisions.c.uetr, decisions.c.side).where(
    decisions.c.outcome.in_(WAITING), ~exists().where(_same)
)


def _after(act: Act, before: tuple[int, str, int]) -> tuple[int, str, int]:
    """A case's priority, officer and escalation after an act."""
    priority, assigned, escalated = before
    if act.act == ASSIGN:
        return priority, act.about["officer"], escalated
    if act.act == PRIORITISE:
        return PRIORITIES.index(act.about["priority"]), assigned, escalated
    return (URGENT, "", 1) if act.act == ESCALATE else before
