"""Ready is more than alive: the database can be written and nothing else is missing, or 503 says what is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import serving.readiness
from contracts.terms.errors import ChainUnavailable, Unavailable
from serving.app import new_app
from serving.database import Database
from serving.readiness import Readiness
from tests.databases import ON_POSTGRESQL, looking, opened, place


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(opened(tmp_path / "books.sqlite")) as database:
        yield database


class Needs:
    """A chain and a backup that lack what the test says."""

    def __init__(self) -> None:
        self.chain = self.backup = ""

    def of_chain(self) -> int:
        if self.chain:
            raise ChainUnavailable(self.chain)
        return 7

    def of_backup(self) -> None:
        if self.backup:
            raise Unavailable(self.backup)


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> Needs:
    monkeypatch.setattr(serving.readiness, "_REMEMBERED", 0.0)
    return Needs()


@pytest.fixture
def door(database: Database, needs: Needs) -> TestClient:
    @asynccontextmanager
    async def lifespan(_: FastAPI):  # type: ignore[no-untyped-def]
        yield

    readiness = Readiness(database, {"chain": needs.of_chain, "backup": needs.of_backup})
    return TestClient(new_app("door", "a door for tests", lifespan, readiness))


def test_ready_with_everything(door: TestClient) -> None:
    assert (door.get("/ready").status_code, door.get("/ready").json()["status"]) == (200, "ready")


def test_all_that_is_missing_is_named_and_asked_again_soon(door: TestClient, needs: Needs) -> None:
    needs.chain, needs.backup = "no blocks", "restored"
    answer = door.get("/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["missing"], answer.json()["detail"]) == ("chain, backup", "no blocks; restored")
    assert door.get("/health").status_code == 200
    needs.chain = needs.backup = ""
    assert door.get("/ready").status_code == 200


def test_a_database_that_cannot_be_written_is_missing(door: TestClient, tmp_path: Path) -> None:
    with looking(place(tmp_path / "books.sqlite")) as other:
        other.exec_driver_sql("BEGIN; LOCK TABLE door.queue" if ON_POSTGRESQL else "BEGIN IMMEDIATE")
        answer = door.get("/ready")
        other.exec_driver_sql("ROLLBACK")
    assert (answer.status_code, answer.json()["missing"]) == (503, "database")
    assert door.get("/health").status_code == 200
    assert door.get("/ready").status_code == 200


def test_many_who_ask_are_one_write(door: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.readiness, "_REMEMBERED", 60.0)
    [side] = tmp_path.glob("*.generation*")
    door.get("/ready")
    before = side.read_bytes()
    assert [door.get("/ready").status_code for _ in range(20)] == [200] * 20
    assert side.read_bytes() == before
