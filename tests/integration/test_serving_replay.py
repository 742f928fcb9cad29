"""Nonces are remembered while their messages could be accepted, and not for ever."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import MetaData, func, select

from contracts.terms.errors import Replayed
from contracts.terms.parties import Participant, Role, Status
from serving.messages import MAX_AGE, Sender
from serving.replay import ReplayGuard, seen_messages_table
from tests.databases import opened

ALICE = Participant(
    "0x" + "a1" * 20, "LEI", "BIC", "SG", Role.DEBTOR_AGENT, Status.ACTIVE, bytes(32), "http://alice", ()
)


def test_what_has_long_expired_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    metadata = MetaData()
    table = seen_messages_table(metadata)
    database = opened(tmp_path / "replay.sqlite")
    database.migrate(metadata.create_all)
    now, age = int(time.time()), int(MAX_AGE.total_seconds())
    lately, long_ago = Sender(ALICE, "lately", now - age), Sender(ALICE, "long ago", now - 3 * age)
    first = ReplayGuard(database, table)
    for sender in (lately, long_ago):
        first.accept_once(sender)
    again = ReplayGuard(database, table)
    again.accept_once(Sender(ALICE, "new", now + age))
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 2
    with pytest.raises(Replayed):
        again.accept_once(lately)
    database.close()
