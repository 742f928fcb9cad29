"""Cases with what officers did in them, totals of days and years, alerts, inquiries, and the log as a Merkle tree.

What was decided before becomes the first entries of the log; days were days of UTC.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

from compliance.log.tree import Frontier, leaf_hash

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EPOCH = date(1970, 1, 1)
ROWS = 500

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _create_log()
    _create_cases()
    _create_inquiries()
    _carry_totals()
    _carry_decisions()
    _change_decisions()
    op.create_index("decisions_by_debtor", "decisions", ["debtor_tag", "sequence"])
    op.create_index("decisions_by_creditor", "decisions", ["creditor_tag", "sequence"])


def _change_decisions() -> None:
    with op.batch_alter_table("decisions") as decisions:
        decisions.drop_column("previous_head")
        decisions.drop_column("head")
        decisions.add_column(sa.Column("rule", sa.Text, nullable=False, server_default=""))
        decisions.add_column(sa.Column("debtor_tag", sa.LargeBinary))
        decisions.add_column(sa.Column("creditor_tag", sa.LargeBinary))
        decisions.drop_constraint("known_outcome", type_="check")
        known = "outcome IN ('clear', 'hold', 'refuse', 'request-information')"
        decisions.create_check_constraint("known_outcome", known)
    op.execute("UPDATE decisions SET rule = 'name' WHERE outcome = 'hold'")
    with op.batch_alter_table("decisions") as decisions:
        decisions.alter_column("rule", server_default=None)


def _create_log() -> None:
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_anchors",
        sa.Column("batch_hash", sa.LargeBinary, primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("uetr", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("opened", "opened_at", "due")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("assigned", sa.Text, nullable=False),
        sa.Column("escalated", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('open', 'released', 'refused')", name="known_state"),
        sa.CheckConstraint("priority BETWEEN 0 AND 3", name="known_priority"),
    )
    op.create_index("cases_by_state", "cases", ["state", "opened"])
    op.create_table(
        "alerts",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("uetr", "side", "rule", "list")),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("alerts_by_time", "alerts", ["at"])
    op.create_table(
        "screened_days",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("payments", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "acts",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=False),
        sa.Column("uetr", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )
    op.create_index("acts_by_case", "acts", ["uetr", "side"])


def _create_inquiries() -> None:
    op.create_table(
        "inquiries",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("direction", "uetr", "side", "peer")),
        sa.Column("question", sa.LargeBinary, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("answered_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("direction IN ('asked', 'received')", name="known_direction"),
    )
    op.create_index("inquiries_by_case", "inquiries", ["uetr", "side"])
    op.create_index("inquiries_by_time", "inquiries", ["direction", "answered_at", "asked_at"])


def _carry_totals() -> None:
    totals = op.create_table(
        "totals",
        sa.Column("tag", sa.LargeBinary, primary_key=True),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("currency", sa.Integer, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount >= 0", name="not_negative_amount"),
    )
    sums: dict[tuple[bytes, str, int], int] = defaultdict(int)
    for row in op.get_bind().execute(sa.text("SELECT account_tag, day, currency, amount FROM day_totals")):
        day = EPOCH + timedelta(days=row.day)
        for period in (day.isoformat(), f"{day.year:04}"):
            sums[bytes(row.account_tag), period, row.currency] += row.amount
    rows = [
        {"tag": tag, "period": period, "currency": unit, "amount": amount}
        for (tag, period, unit), amount in sums.items()
    ]
    op.bulk_insert(totals, rows)
    op.drop_table("day_totals")


def _carry_decisions() -> None:
    """The log's tree over what was decided, and a case and an alert for each payment that was held."""
    columns = "sequence, uetr, side, number, outcome, score, matches, inputs, hold_until, record"
    read = sa.text(f"SELECT {columns} FROM decisions ORDER BY sequence")  # noqa: S608
    frontier, nodes, cases = Frontier(), list[dict[str, object]](), dict[tuple[str, str], dict[str, object]]()
    alerts, days = dict[tuple[str, str, str], dict[str, object]](), Counter[tuple[str, str]]()
    for row in op.get_bind().execute(read):
        frontier, completed = frontier.append(leaf_hash(bytes(row.record)))
        nodes += [{"level": level, "place": place, "hash": node} for level, place, node in completed]
        facts = json.loads(row.inputs)["facts"]
        decided_at = max([facts["asked_at"], *(review["at"] for review in facts.get("reviews", ()))])
        if row.number == 0:
            days[(EPOCH + timedelta(seconds=facts["asked_at"])).isoformat(), row.outcome] += 1
        case = cases.get((row.uetr, row.side))
        if row.outcome == "hold":
            opened = {"opened": row.sequence, "opened_at": facts["asked_at"]}
            untouched = {"priority": 1, "assigned": "", "escalated": 0}
            case = cases.setdefault((row.uetr, row.side), opened | untouched)
            case |= {"uetr": row.uetr, "side": row.side, "due": row.hold_until, "score": row.score}
            case |= {"state": "open", "closed_at": 0}
            for name in {each["match"]["list_name"] for each in json.loads(row.matches)}:
                alert = {"uetr": row.uetr, "side": row.side, "rule": "name", "list": name, "outcome": "hold"}
                alerts.setdefault((row.uetr, row.side, name), alert | {"at": facts["asked_at"]})
        elif case is not None:
            case |= {"state": "released" if row.outcome == "clear" else "refused", "closed_at": decided_at}
    _insert("log_nodes", nodes)
    _insert("log_head", [{"id": 1, "size": frontier.size, "peaks": b"".join(frontier.peaks)}])
    counted = [{"day": day, "outcome": outcome, "payments": each} for (day, outcome), each in days.items()]
    _insert("screened_days", counted)
    _insert("cases", list(cases.values()))
    _insert("alerts", list(alerts.values()))


def _insert(table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        columns = list(rows[0])
        target = sa.table(table, *(sa.column(name) for name in columns))
        for start in range(0, len(rows), ROWS):
            op.get_bind().execute(sa.insert(target), rows[start : start + ROWS])
