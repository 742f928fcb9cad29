"""Ten thousand decisions, of every outcome and under several policies, run again to the identical result."""

from __future__ import annotations

import random
from pathlib import Path

from compliance.app import MIGRATIONS
from compliance.policy import SHIPPED_POLICY
from compliance.screening.decide import HOLD
from serving.database import Database
from serving.migrations import migrate
from tests.databases import opened
from tests.desk import LISTED, Desk, payment

DECISIONS, LIST = 10_000, 500
NAMES = ("Wang Xiaoming", "Somchai Jaidee", "Vladimir Putin", LISTED, "Li Na", "Nattaya Srisuk", "Tan Ah Kow")
POLICIES = (
    "",
    SHIPPED_POLICY.read_text().replace("day = 50_000_000", "day = 3_000_000").replace("UTC", "Asia/Shanghai"),
    SHIPPED_POLICY.read_text().replace("hold = 880", "hold = 900") + "\n[[corridors.CN-TH.CNY]]\nfrom = 2023-01-01\n"
    "payment = 100_000\nall_day = 900_000_000\n",
)


def test_ten_thousand_decisions_run_again_to_the_same_result(tmp_path: Path) -> None:
    database, dice = opened(tmp_path / "compliance.db"), random.Random(7)
    migrate(database, MIGRATIONS)
    for content in POLICIES:
        _decide(Desk(database, content), dice, -(-DECISIONS // len(POLICIES)))
    outcomes = _outcomes(database)
    assert {outcome for outcome, _ in outcomes} == {"clear", "hold", "refuse", "request-information"}
    assert {rule for _, rule in outcomes} >= {"", "name", "officers", "limit-of-payment", "limit-of-day"}
    replayed = Desk(database).replay()
    assert replayed.faults == ()
    assert replayed.same >= DECISIONS
    database.close()


def _decide(desk: Desk, dice: random.Random, count: int) -> None:
    desk.pass_time(dice.randrange(86_400))
    while count > 0:
        asked = [
            payment(dice.choice(NAMES), dice.choice((100, 10_000, 900_000, 6_000_000)), f"6222-{dice.randrange(40)}")
            for _ in range(min(LIST, count))
        ]
        decided = desk.decide(*asked)
        count -= len(decided)
        waiting = [each.uetr for each in decided if each.outcome == HOLD]
        for uetr, action in zip(waiting, ("release", "refuse", "ask"), strict=False):
            if action == "ask":
                desk.inquiries.ask((uetr, "debtor"), "anna", "who is this?")
            for officer in ("anna", "boris") if action != "ask" else ():
                desk.holds.review((uetr, "debtor"), officer, action, "looked")
        desk.pass_time(3_600)


def _outcomes(database: Database) -> set[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT DISTINCT outcome, rule FROM decisions")
        return {(row.outcome, row.rule) for row in rows}
