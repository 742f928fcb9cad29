"""What a node asks of its database for a payment stays as cheap as it is, however many payments there are."""

from __future__ import annotations

import re
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import Connection, text

from contracts.terms.batch import SignedBatch
from contracts.terms.commitments import batch_hash
from nodes.app import MIGRATIONS
from nodes.batches import repository as batches
from nodes.batches.tables import settled_payments
from nodes.verify.service import verify
from serving.migrations import migrate
from tests import databases
from tests.benchmarks.bank import ENDORSED, opened, settle_list
from tests.benchmarks.filling import LIST, fill
from tests.statements import statements

GROWING = (
    "agreements",
    "batches",
    "idempotency_keys",
    "journal_entries",
    "payment_events",
    "payments",
    "postings",
    "quotes",
    "settled_payments",
    "signed_batches",
    "signed_payments",
)
"""The tables of a node that get rows with every payment or batch."""


@pytest.mark.sqlite
def test_a_database_that_a_benchmark_filled_is_whole(tmp_path: Path) -> None:
    known = fill(tmp_path / "node.db", 4 * LIST)
    verified = verify(tmp_path / "node.db")
    assert verified.broken == []
    rows = {check.name: check.rows for check in verified.checks}
    assert (rows["settlements"], rows["settled batches"]) == (4 * LIST, 4)
    with opened(tmp_path / "node.db") as bank:
        more = settle_list(bank, 7)
        for uetr in (*known, *more):
            bank.look_up(uetr)
        bank.page()
    assert verify(tmp_path / "node.db").broken == []


@pytest.mark.sqlite
def test_no_step_of_a_payment_reads_a_growing_table_whole(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    with opened(path) as bank, statements(path) as heard:
        first = settle_list(bank, LIST)
        bank.idle()
        bank.page()
        bank.look_up(first[-1])
        with bank.node.database.read() as connection:
            assert batches.settled_at(connection, 0, 0) is not None
            assert batches.settled_batches(connection, 0, -1, 10)
    asked = {each for each in heard if each.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))}
    assert len(asked) > 30
    assert [each for statement in asked for each in scans(path, statement)] == []


@pytest.mark.sqlite
def test_a_scan_is_noticed(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db"):
        pass
    assert scans(tmp_path / "node.db", "SELECT * FROM batches WHERE uetrs LIKE ?")
    assert not scans(tmp_path / "node.db", "SELECT * FROM batches WHERE batch_hash = ?")


@pytest.mark.sqlite
def test_what_settled_before_the_table_was_there_is_found_by_it(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    with opened(path) as bank:
        known = settle_list(bank, 5)
    with databases.looking(path) as connection:
        rows = connection.execute(settled_payments.select()).all()
        for statement in (
            "DROP TABLE settled_payments",
            "DROP INDEX signed_batches_by_place",
            "DROP INDEX batches_by_place",
            "UPDATE alembic_version SET version_num = '0007'",
        ):
            connection.execute(text(statement))
    database = databases.opened(path)
    migrate(database, MIGRATIONS)
    database.close()
    with databases.looking(path) as connection:
        assert sorted(connection.execute(settled_payments.select()).all()) == sorted(rows)
    with opened(path) as bank:
        for uetr in known:
            bank.look_up(uetr)


@pytest.mark.sqlite
def test_a_batch_that_was_lost_is_settled_once_it_is_restored(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db") as bank:
        bank.accept(bank.quote(3))
        bank.screen()
        bank.agree(3)
        batch = bank.form(3)
        name = batch_hash(batch)
        with bank.node.database.read() as connection:
            uetrs = batches.uetrs_of(connection, name)
        signed = SignedBatch(batch, (ENDORSED,) * len(batch.members))

        def recover(connection: Connection) -> None:
            batches.settle(connection, b"x" * 32, 7, b"t" * 32)  # of a batch that the backup lacks
            batches.settle(connection, name, 7, b"t" * 32)  # it was being formed in the backup
            batches.restore(connection, signed, uetrs)
            batches.settle(connection, name, 7, b"t" * 32)

        bank.node.database.write(recover)
        with bank.node.database.read() as connection:
            found = [batches.settled_with(connection, uetr) for uetr in uetrs]
    assert [each and each.name for each in found] == [name] * 3


def scans(path: Path, statement: str) -> list[str]:
    """The growing tables that SQLite would read from end to end for it."""
    connection = pysqlite3.connect(str(path))
    try:
        given = [None] * statement.count("?")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
    finally:
        connection.close()
    found = [match[1] for line in plan if (match := re.match(r"SCAN (\w+)", line))]
    return [f"{table}: {statement}" for table in found if table in GROWING]
