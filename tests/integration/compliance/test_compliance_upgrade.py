"""A database from before there were cases: what was decided then is kept, runs again, and goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import compliance.log.repository as log
from compliance.alerts import repository as alerts
from compliance.alerts.repository import AlertFilter
from compliance.app import MIGRATIONS
from compliance.lists.listed import FalsePositive
from compliance.log.tree import Frontier, leaf_hash
from compliance.repository import _row, add_note
from compliance.screening.questions import Facts, Inputs, Review, Spent
from compliance.screening.record import Decided, Versions, new_note, new_salts
from compliance.screening.rulebook import RuleBook
from contracts.terms.commitments import keccak
from serving.database import Database
from serving.migrations import migrate
from tests.databases import opened
from tests.desk import CNY, LISTED, NOON, TAGS, WALLET, Desk, names, payment

BEFORE = "0003"
POLICY = (
    "[names]\nrefuse = 970\nhold = 880\n[holds]\nseconds = 86400\n[countries]\nblocked = ['KP']\n"
    "[limits.CNY]\npayment = 20_000\nday = 25_000\n"
)
NOTE = new_note("another person")
COUNTRIES = ("CN", "TH")


def _book() -> RuleBook:
    from compliance.policy import read_policy

    version, _, index = names()
    policy = read_policy(POLICY)
    return RuleBook(policy, index, Versions(policy.version, version))


def _decided_before() -> list[Decided]:
    """As a service decided then: a clear payment, one over the limit of the day, one released by two officers, one that
    is still held, one that a single officer refused."""
    book, made = _book(), list[Decided]()

    def decide(asked: Any, facts: Facts, number: int = 0) -> Decided:
        made.append(book.decide(number, Inputs(WALLET, asked, facts), book.matches(asked), new_salts()))
        return made[-1]

    def facts(spent: int) -> Facts:
        return Facts(NOON, COUNTRIES, (Spent(CNY, spent),))

    assert decide(payment(amount=10_000), facts(0)).verdict.outcome == "clear"
    assert decide(payment(amount=15_001), facts(10_000)).verdict.detail.endswith("limit of the day in CNY")
    for actions, outcome in ((("release", "release"), "clear"), ((), "hold"), (("refuse",), "refuse")):
        asked = payment(LISTED, amount=1_000, account=f"held {outcome}")
        held = decide(asked, facts(0))
        for number, action in enumerate(actions, start=1):
            seen = tuple(found.reference for found in held.verdict.matches)
            review = Review(("anna", "boris")[number - 1], action, NOON + number, seen, NOTE.commitment)
            now = held.inputs.facts
            known = replace(now, reviews=(*now.reviews, review), held_until=NOON + 86_400)
            held = decide(asked, known, number)
        assert held.verdict.outcome == outcome
    return made


def _written_before(connection: Connection, decided: Sequence[Decided]) -> None:
    """Into the tables of then, with the chain of hashes that was the log."""
    _, content, _ = names()
    for table, version, said in (
        ("policies", _book().versions.policy, POLICY),
        ("lists", _book().versions.lists, content),
    ):
        connection.execute(
            text(f"INSERT INTO {table} VALUES (:version, :content)"), {"version": version, "content": said}
        )
    connection.execute(
        text("INSERT INTO notes VALUES (:commitment, :salt, :content)"),
        {"commitment": NOTE.commitment, "salt": NOTE.salt, "content": NOTE.content},
    )
    head = bytes(32)
    for sequence, each in enumerate(decided, start=1):
        row = _row(sequence, each, (None, None))
        for added in ("rule", "names_version", "debtor_tag", "creditor_tag"):
            del row[added]
        row |= {"previous_head": head, "head": keccak(head + each.record)}
        head = row["head"]
        columns = ", ".join(row)
        connection.execute(
            text(f"INSERT INTO decisions ({columns}) VALUES ({', '.join(':' + name for name in row)})"), row
        )
    insert = text("INSERT INTO day_totals VALUES (:tag, :day, 156, :amount)")
    for account, amount in (("6222", 10_000), ("held clear", 1_000), ("held hold", 1_000)):
        asked = payment(account=account)
        connection.execute(insert, {"tag": TAGS.tag(asked), "day": NOON // 86_400, "amount": amount})


def _at_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _upgraded(path: Path) -> tuple[Database, list[Decided]]:
    database, decided = opened(path), _decided_before()
    database.migrate(lambda connection: _at_revision(connection, BEFORE))
    database.write(lambda connection: _written_before(connection, decided))
    migrate(database, MIGRATIONS)
    return database, decided


def test_what_was_decided_before_runs_again_and_is_in_the_log(tmp_path: Path) -> None:
    database, decided = _upgraded(tmp_path / "compliance.db")
    desk = Desk(database)
    replayed = desk.replay()
    assert (replayed.same, replayed.faults) == (len(decided), ())
    expected = Frontier()
    for each in decided:
        expected, _ = expected.append(leaf_hash(each.record))
    with database.read() as connection:
        assert log.frontier(connection) == expected
    database.close()


def test_what_was_held_before_is_a_case_and_what_was_moved_still_counts(tmp_path: Path) -> None:
    database, _ = _upgraded(tmp_path / "compliance.db")
    desk = Desk(database, POLICY.replace("day = 25_000", "day = 25_000\nyear = 30_000"))
    [waiting] = desk.holds.page(0, 10).holds
    key = waiting.decided.inputs.screening.uetr, "debtor"
    assert (waiting.officers_missing, waiting.decided.hold_until) == (2, NOON + 86_400)
    for officer in ("anna", "boris"):
        desk.holds.review(key, officer, "release", "another person")
    assert desk.holds.page(0, 10).holds == ()
    assert desk.decide(payment(amount=15_001))[0].reason == "AM14", "10,000 were moved that day"
    assert desk.decide(payment(amount=15_000))[0].clear
    desk.pass_time(86_400)
    assert desk.decide(payment(amount=5_001))[0].reason == "AM14", "and count for the year"
    assert desk.decide(payment(amount=5_000))[0].clear
    assert desk.replay().faults == ()
    database.close()


def test_alerts_and_false_positives_of_before_come_into_the_log_as_they_stood(tmp_path: Path) -> None:
    database = opened(tmp_path / "compliance.db")
    database.migrate(lambda connection: _at_revision(connection, "0006"))
    desk = Desk(database)
    uetr, _ = desk.held()
    listed, _, _ = names()
    pair = FalsePositive("OFAC SDN 1", "5" * 64, bytes(32), bytes([1]) * 32, NOON + 100)
    alert = {"version": listed, "matches": json.dumps([{"list_name": "OFAC SDN", "entry_id": "1"}]), "at": NOON}

    def write(connection: Connection) -> None:
        add_note(connection, NOTE)
        connection.execute(
            text(
                "INSERT INTO customer_alerts (list_version, decision, role, payment_open, score, matches, made_at)"
                " VALUES (:version, 1, 'debtor', 1, 900, :matches, :at)"
            ),
            alert,
        )
        connection.execute(
            text(
                "INSERT INTO false_positives (reference, entry_digest, salt, tag, expires, proposed_by, proposed_at,"
                " note, approved_by, counted_from) VALUES (:reference, :entry_digest, :salt, :tag, :expires, 'anna',"
                " :at, :note, 'boris', 1)"
            ),
            {**vars(pair), "note": NOTE.commitment, "at": NOON},
        )

    database.write(write)
    migrate(database, MIGRATIONS)
    assert desk.replay().faults == ()
    with database.read() as connection:
        [known] = alerts.page(connection, None, AlertFilter(state="open", list_name="OFAC SDN"), 10)
        assert [each.act for each in alerts.acts_of(connection, known)] == ["raise-alert"]
        assert log.frontier(connection).size == 3
    assert known.alert.uetr == uetr
    database.close()
