"""`feiqian node verify`: a node's database proves its book, and says which line of a tampered one breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Connection, text
from typer.testing import CliRunner

from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch, Endorsement, members_of, net_positions
from contracts.terms.commitments import batch_hash, payment_leaf
from contracts.terms.merkle import root_of
from contracts.terms.payment import Event
from nodes.batches import repository as batches
from nodes.cli import app
from nodes.payments import end
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord
from nodes.verify.service import CHECKS
from serving.database import Place
from tests import databases
from tests.node_door import NOW, PEER, SETTLEMENT, US, Door, opened

ENDORSED = {US: Endorsement(b"s" * 65, Attestation(bytes(32), bytes(32), bytes(32), NOW), b"a" * 65)}
PAID, RECEIVED, OPEN, COMMITTING = "paid", "received", "open", "committing"
"""One payment each: settled by a customer, settled to one, accepted, and in a batch that may still settle."""


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db") as made:
        yield made


@pytest.fixture
def where(door: Door, tmp_path: Path) -> Place:
    return databases.place(tmp_path / "node.db")


@pytest.fixture
def uetrs(door: Door) -> dict[str, str]:
    """A book with payments of every kind, made as the node makes it."""
    found = {PAID: door.paid(), OPEN: door.paid(), COMMITTING: door.paid("anan"), RECEIVED: door.receive("malee", 5)}
    withdrawn, late = door.paid(), door.paid()
    door.database.write(lambda connection: end.cancel(connection, known(connection, withdrawn)))
    door.database.write(lambda connection: end.expire(connection, [known(connection, late)]))
    for number, name in enumerate((PAID, RECEIVED, COMMITTING)):
        commit(door, found[name], sequence=number, settles=name != COMMITTING)
    return found


def known(connection: Connection, uetr: str) -> PaymentRecord:
    found = payments.find(connection, uetr)
    assert found is not None
    return found


def commit(door: Door, uetr: str, sequence: int, settles: bool) -> None:
    """The payment's way through a batch of its own, as debtor agent or as creditor agent."""
    door.move(uetr, Event.CLEAR, Event.AGREE)

    def work(connection: Connection) -> None:
        payment = known(connection, uetr)
        ours, terms = payment.side == "debtor", [payment.terms]
        agent, root = (US, PEER)[not ours], root_of([payment_leaf(each) for each in terms])
        batch = Batch(agent, 0, sequence, root, 1, members_of(terms), net_positions(terms), NOW + 15)
        name = batch_hash(batch)
        if ours:
            batches.add(connection, batch, [uetr])
        door.node.signed.record(connection, batch, [uetr], SETTLEMENT)
        assert payments.move(connection, payment, Event.SIGN)
        if ours:
            batches.sign(connection, name, ENDORSED)
        if settles:
            assert door.node.signed.settle(connection, batch.place, name) == [uetr]
            batches.settle(connection, name, 7, b"t" * 32)
            end.settle(connection, [known(connection, uetr)], NOW)

    door.database.write(work)


def verify(where: Place, *options: str) -> Result:
    return CliRunner().invoke(app, ["verify", "--database", databases.text_of(where), *options])


def test_a_whole_book_is_proven_while_the_node_has_it_open(where: Place, uetrs: dict[str, str]) -> None:
    assert len(uetrs) == 4
    found = verify(where)
    assert found.exit_code == 0, found.output
    assert "the book is whole" in found.output
    told = json.loads(verify(where, "--json").stdout)
    assert told["whole"] is True
    assert {each["name"] for each in told["checks"]} == set(CHECKS)
    assert all(each["rows"] for each in told["checks"])


ENTRY = "(SELECT id FROM journal_entries WHERE key = 'payment:' || :paid)"
TAMPERED = {
    "a posting": (f"UPDATE postings SET amount = amount + 1 WHERE entry = {ENTRY} AND line = 1", "journal", "sum to 1"),
    "an entry": (f"DELETE FROM postings WHERE entry = {ENTRY}", "journal", "has no postings"),
    "a balance": ("UPDATE accounts SET balance = balance + 1 WHERE id = 'malee'", "balances", "account malee"),
    "an earmark": ("UPDATE accounts SET earmarked = earmarked - 1 WHERE id = 'malee'", "earmarks", "need 1005"),
    "a state": ("UPDATE payments SET state = 'agreed' WHERE uetr = :open", "states", "last event made it accepted"),
    "a way": ("UPDATE payment_events SET event = 'agree' WHERE uetr = :paid AND number = 1", "states", "by agree to"),
    "an event": ("DELETE FROM payment_events WHERE uetr = :paid AND number = 2", "states", "are missing"),
    "a feed": ("UPDATE feeds SET last = last + 1 WHERE owner = 'anan'", "events", "owner anan"),
    "an amount": ("UPDATE payments SET source_amount = 9 WHERE uetr = :paid", "settlements", "not -14 and 9"),
    "a receipt": ("UPDATE payments SET target_amount = 1 WHERE uetr = :received", "settlements", "not 1 and -1"),
    "a key": (
        "UPDATE journal_entries SET key = 'payment:' || :open WHERE key = 'payment:' || :paid",
        "settlements",
        "is accepted, and booked",
    ),
    "a settled batch": (
        "UPDATE signed_batches SET state = 'live' WHERE state = 'settled'",
        "live batches",
        "is settled and in a batch that may still settle",
    ),
    "a live batch": (
        "UPDATE signed_batches SET state = 'dead' WHERE state = 'live'",
        "live batches",
        "is committing and in no batch",
    ),
    "another place": (
        "INSERT INTO signed_payments SELECT batch_hash, :committing FROM signed_payments WHERE uetr = :paid",
        "live batches",
        "signed for 2 places",
    ),
    "our batch": ("UPDATE batches SET state = 'dead' WHERE state = 'settled'", "settled batches", "batches hold 0"),
    "its payments": ("UPDATE batches SET uetrs = '[\"x\"]' WHERE state = 'settled'", "settled batches", "1 of its 1"),
    "a return": (
        "UPDATE payments SET original_uetr = :received WHERE uetr = :open",
        "returns",
        "1000 is returned of 200",
    ),
}


@pytest.mark.parametrize(("statement", "check", "said"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_book_is_refused_by_the_check_that_it_breaks(
    where: Place, uetrs: dict[str, str], statement: str, check: str, said: str
) -> None:
    named = {name: uetr for name, uetr in uetrs.items() if f":{name}" in statement}
    with databases.looking(where) as connection:
        assert connection.execute(text(statement), named).rowcount > 0
    found = verify(where)
    assert found.exit_code == 1
    assert [line for line in found.output.splitlines() if line.startswith(f"{check}: ") and said in line], found.output
    told = json.loads(verify(where, "--json").stdout)
    assert told["whole"] is False


@pytest.mark.sqlite
def test_a_damaged_file_is_refused(where: Place, uetrs: dict[str, str], tmp_path: Path) -> None:
    copy = databases.back_up(where, tmp_path / "copy.db")
    assert CliRunner().invoke(app, ["verify", "--database", str(copy)]).exit_code == 0
    content = bytearray(copy.read_bytes())
    place = content.rindex(uetrs[OPEN].encode())
    content[place : place + 36] = b"?" * 36
    copy.write_bytes(content)
    found = CliRunner().invoke(app, ["verify", "--database", str(copy)])
    assert found.exit_code == 1
    assert "stored: " in found.output
    assert copy.read_bytes() == bytes(content), "it only reads"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say either --config"),
        (["--config", "node.toml", "--database", "node.db"], "say either --config"),
        (["--database", "no-such.db"], "there is no file no-such.db"),
        (["--database", "mysql://somewhere/node"], "a file, or postgresql://"),
        (["--database", __file__], "no database that can be read"),
        (["--database", "EMPTY"], "not the database of a node"),
    ],
)
def test_what_is_no_nodes_database_is_said_in_a_line(options: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "EMPTY").touch()
    options = [str(tmp_path / each) if each == "EMPTY" else each for each in options]
    found = CliRunner().invoke(app, ["verify", *options])
    assert found.exit_code == 2
    assert said in found.output


@pytest.mark.sqlite
def test_a_database_of_another_release_is_told_from_a_broken_one(where: Place) -> None:
    with databases.looking(where) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = verify(where)
    assert found.exit_code == 2
    assert "schema 0001" in found.output
