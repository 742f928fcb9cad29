"""Nonces are remembered while their messages could be accepted, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, Table, select

from contracts.terms.errors import Malformed, Replayed
from contracts.terms.parties import Participant, Role, Status
from serving.database import Database
from serving.messages import Sender
from serving.replay import ReplayGuard, seen_messages_table
from serving.signed_form import MAX_AGE
from tests.databases import opened

ALICE = Participant(
    "0x" + "a1" * 20, "LEI", "BIC", "SG", Role.DEBTOR_AGENT, Status.ACTIVE, bytes(32), "http://alice", ()
)


@pytest.fixture
def table() -> Table:
    return seen_messages_table(MetaData())


@pytest.fixture
def database(tmp_path: Path, table: Table) -> Iterator[Database]:
    database = opened(tmp_path / "replay.sqlite")
    database.migrate(table.metadata.create_all)
    yield database
    database.close()


def message(nonce: str, lives: int = 60) -> Sender:
    return Sender(ALICE, nonce, int(time.time()) + lives)


def kept(database: Database, table: Table) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(table.c.nonce)).scalars())


def test_what_has_long_expired_is_forgotten_and_nothing_else(database: Database, table: Table) -> None:
    age = int(MAX_AGE.total_seconds())
    lately, long_ago = message("lately", -age), message("long ago", -3 * age)
    first = ReplayGuard(database, table)
    for sender in (lately, long_ago):
        first.require_remembered(first.accept_once(sender))
    again = ReplayGuard(database, table)
    again.require_remembered(again.accept_once(message("new")))
    assert kept(database, table) == {"lately", "new"}
    with pytest.raises(Replayed):
        again.accept_once(lately)


def test_what_was_answered_is_refused_after_a_restart(database: Database, table: Table) -> None:
    once = message("once")
    guard = ReplayGuard(database, table)
    guard.require_remembered(guard.accept_once(once))
    for known in (guard, ReplayGuard(database, table)):
        with pytest.raises(Replayed):
            known.accept_once(once)


def test_whatever_a_message_has_done_its_nonce_is_durable_with_it(database: Database, table: Table) -> None:
    guard = ReplayGuard(database, table)
    remembered = guard.accept_once(message("asked"))
    database.write(lambda connection: None)
    assert remembered.done()
    assert kept(database, table) == {"asked"}


def test_a_message_whose_work_was_refused_is_remembered_too(database: Database, table: Table) -> None:
    def refuse(_: Connection) -> None:
        raise Malformed("no")

    guard = ReplayGuard(database, table)
    remembered = guard.accept_once(message("in vain"))
    with pytest.raises(Malformed):
        database.write(refuse)
    guard.require_remembered(remembered)
    assert kept(database, table) == {"in vain"}


def test_of_many_threads_with_one_message_one_is_let_in(database: Database, table: Table) -> None:
    guard, once = ReplayGuard(database, table), message("once")

    def accept(_: int) -> bool:
        try:
            guard.require_remembered(guard.accept_once(once))
        except Replayed:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(accept, range(64))) == 1
