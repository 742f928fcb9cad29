"""The SQL of alerts about customers. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from compliance.cases import repository as cases
from compliance.cases.acts import RAISE_ALERT, Act
from compliance.lists.tables import customer_alert_lists, customer_alerts
from compliance.repository import Key
from compliance.tables import decisions
from serving.jsontext import dump, load
from serving.upsert import upsert

OPEN, PROPOSED, CLOSED = "open", "proposed", "closed"
TRUE_MATCH, FALSE_POSITIVE, DUPLICATE = "true-match", "false-positive", "duplicate"
OUTCOMES = (TRUE_MATCH, FALSE_POSITIVE, DUPLICATE)


@dataclass(frozen=True)
class Alert:
    """A customer who matches since a list changed. `decision` is the number in the log of the decision that has the
    party, `uetr` and `side` its payment; `matches` are the new ones, as documents."""

    uetr: str
    side: str
    list_version: str
    decision: int
    role: str
    payment_open: bool
    score: int
    matches: Sequence[Mapping[str, Any]]
    made_at: int

    @property
    def entries(self) -> frozenset[tuple[str, str]]:
        """The lists and ids of the entries that match."""
        return frozenset((each["list_name"], each["entry_id"]) for each in self.matches)


@dataclass(frozen=True)
class KnownAlert:
    """An alert with what officers made of it. `outcome` is empty while it is open, and what was proposed until another
    officer approved it; `proposed_by` is empty where one officer closes alone; times in seconds of chain time."""

    sequence: int
    alert: Alert
    state: str
    outcome: str
    assigned: str
    proposed_by: str
    closed_by: str
    closed_at: int


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts. None leaves a question open; `assigned` empty asks for those that are nobody's."""

    state: str | None = None
    outcome: str | None = None
    list_name: str | None = None
    payment_open: bool | None = None
    assigned: str | None = None


def add(connection: Connection, new: Iterable[Alert]) -> None:
    """Each once, however often it is found. That it was raised is an entry of the log."""
    raised = list[Act]()
    for alert in new:
        statement = upsert(connection, customer_alerts).values(_row(alert)).on_conflict_do_nothing()
        added = connection.execute(statement.returning(customer_alerts.c.sequence)).scalar_one_or_none()
        if added is None:
            continue
        rows = [{"alert": added, "list": name} for name in sorted({name for name, _ in alert.entries})]
        connection.execute(insert(customer_alert_lists), rows)
        raised.append(raising(added, alert))
    if raised:
        cases.add_acts(connection, raised)


def raising(number: int, alert: Alert) -> Act:
    """The log's entry of an alert that the service raised."""
    about = {"alert": number, "role": alert.role, "list_version": alert.list_version, "score": alert.score}
    return Act(alert.uetr, alert.side, RAISE_ALERT, "", alert.made_at, None, about)


def page(connection: Connection, before: int | None, wanted: AlertFilter, limit: int) -> list[KnownAlert]:
    """Alerts, the newest first, older than the one numbered `before`."""
    table, query = customer_alerts, _KNOWN.order_by(customer_alerts.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.sequence < before)
    for column, value in ((table.c.state, wanted.state), (table.c.outcome, wanted.outcome)):
        query = query if value is None else query.where(column == value)
    if wanted.payment_open is not None:
        query = query.where(table.c.payment_open == int(wanted.payment_open))
    if wanted.assigned is not None:
        query = query.where(table.c.assigned == wanted.assigned)
    if wanted.list_name is not None:
        lists = customer_alert_lists
        query = query.where(exists().where(lists.c.alert == table.c.sequence, lists.c.list == wanted.list_name))
    return [_known(row) for row in connection.execute(query)]


def find(connection: Connection, number: int) -> KnownAlert | None:
    row = connection.execute(_KNOWN.where(customer_alerts.c.sequence == number)).one_or_none()
    return None if row is None else _known(row)


def everything(connection: Connection) -> Iterable[KnownAlert]:
    """All alerts, the oldest first."""
    for row in connection.execute(_KNOWN.order_by(customer_alerts.c.sequence)):
        yield _known(row)


def change(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(customer_alerts).where(customer_alerts.c.sequence == number).values(values))


def acts_of(connection: Connection, known: KnownAlert) -> list[Act]:
    """What was done about an alert, in its order."""
    key: Key = known.alert.uetr, known.alert.side
    return [each for each in cases.acts_of(connection, key) if each.about.get("alert") == known.sequence]


_KNOWN = select(customer_alerts, decisions.c.uetr, decisions.c.side).join(
    decisions, customer_alerts.c.decision == decisions.c.sequence
)


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "list_version": alert.list_version,
        "decision": alert.decision,
        "role": alert.role,
        "payment_open": int(alert.payment_open),
        "score": alert.score,
        "matches": dump(list(alert.matches)),
        "made_at": alert.made_at,
    }


def _known(row: Row[Any]) -> KnownAlert:
    alert = Alert(
        uetr=row.uetr,
        side=row.side,
        list_version=row.list_version,
        decision=row.decision,
        role=row.role,
        payment_open=bool(row.payment_open),
        score=row.score,
        matches=load(row.matches),
        made_at=row.made_at,
    )
    return KnownAlert(
        sequence=row.sequence,
        alert=alert,
        state=row.state,
        outcome=row.outcome,
        assigned=row.assigned,
        proposed_by=row.proposed_by,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
    )
