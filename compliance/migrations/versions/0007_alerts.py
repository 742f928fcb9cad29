"""Alerts can be closed. They, and false positives, are entries of the log: those of before as they stand now."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from compliance.cases.acts import CARRY_PAIR, RAISE_ALERT, Act
from compliance.lists.listed import FalsePositive
from compliance.log.tree import Frontier, leaf_hash

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("customer_alerts") as alerts:
        for name in ("state", "outcome", "assigned", "proposed_by", "closed_by"):
            alerts.add_column(
                sa.Column(name, sa.Text, nullable=False, server_default="open" if name == "state" else "")
            )
        alerts.add_column(sa.Column("closed_at", sa.BigInteger, nullable=False, server_default="0"))
        alerts.create_check_constraint("known_state", "state IN ('open', 'proposed', 'closed')")
        alerts.create_check_constraint("two_officers", "closed_by = '' OR closed_by <> proposed_by")
    op.create_index("customer_alerts_by_state", "customer_alerts", ["state", "sequence"])
    op.create_index("customer_alerts_by_time", "customer_alerts", ["made_at"])
    op.create_table(
        "customer_alert_lists",
        sa.Column(
            "alert", sa.BigInteger, sa.ForeignKey("customer_alerts.sequence"), primary_key=True, autoincrement=False
        ),
        sa.Column("list", sa.Text, primary_key=True),
    )
    for name in ("uetr", "side"):
        op.add_column("false_positives", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("false_positives", sa.Column("alert", sa.BigInteger, nullable=True))
    op.create_index("ix_false_positives_alert", "false_positives", ["alert"])
    _log([*_alerts(), *_pairs()])


def _alerts() -> list[Act]:
    read = sa.text(
        "SELECT customer_alerts.sequence, uetr, side, customer_alerts.list_version, role, customer_alerts.score,"
        " customer_alerts.matches, made_at FROM customer_alerts"
        " JOIN decisions ON decisions.sequence = customer_alerts.decision ORDER BY customer_alerts.sequence"
    )
    raised = []
    for row in op.get_bind().execute(read).all():
        for name in sorted({each["list_name"] for each in json.loads(row.matches)}):
            _insert("customer_alert_lists", {"alert": row.sequence, "list": name})
        about = {"alert": row.sequence, "role": row.role, "list_version": row.list_version, "score": row.score}
        raised.append(Act(row.uetr, row.side, RAISE_ALERT, "", row.made_at, None, about))
    return raised


def _pairs() -> list[Act]:
    carried = []
    for row in op.get_bind().execute(sa.text("SELECT * FROM false_positives ORDER BY number")).all():
        pair = FalsePositive(row.reference, row.entry_digest, bytes(row.salt), bytes(row.tag), row.expires)
        officers = {name: getattr(row, name) for name in ("proposed_by", "approved_by", "withdrawn_by")}
        about = {"number": row.number, "pair": pair.digest, **officers}
        carried.append(Act("", "", CARRY_PAIR, "", row.proposed_at, bytes(row.note), about))
    return carried


def _log(acts: list[Act]) -> None:
    """Append acts behind the log's end."""
    if not acts:
        return
    connection = op.get_bind()
    head = connection.execute(sa.text("SELECT size, peaks FROM log_head")).one()
    peaks = bytes(head.peaks)
    end = Frontier(head.size, tuple(peaks[at : at + 32] for at in range(0, len(peaks), 32)))
    for act in acts:
        end, completed = end.append(leaf_hash(act.record))
        _insert("acts", {"sequence": end.size, "uetr": act.uetr, "side": act.side, "record": act.record})
        for level, place, node in completed:
            _insert("log_nodes", {"level": level, "place": place, "hash": node})
    moved = {"size": end.size, "peaks": b"".join(end.peaks)}
    connection.execute(sa.text("UPDATE log_head SET size = :size, peaks = :peaks"), moved)


def _insert(table: str, row: dict[str, Any]) -> None:
    op.get_bind().execute(sa.insert(sa.table(table, *map(sa.column, row))), row)
