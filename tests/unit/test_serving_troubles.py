"""What is tried again and again is logged when it stops working and when it works again, with the service's name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from serving.telemetry import configure_logs
from serving.troubles import Troubles


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_one_line_when_it_goes_and_one_when_it_is_back(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("a node")
    troubles = Troubles()
    troubles.worked("chain")
    for _ in range(3):
        troubles.failed("chain", "chain does not answer", why="refused")
        troubles.failed("screen", "step will be tried again", why="away")
    troubles.worked("chain")
    troubles.worked("chain")
    troubles.failed("chain", "chain does not answer", why="again")
    said = [(line["event"], line.get("why"), line.get("tries")) for line in lines(capsys)]
    assert said == [
        ("chain does not answer", "refused", None),
        ("step will be tried again", "away", None),
        ("over: chain does not answer", None, 3),
        ("chain does not answer", "again", None),
    ]


def test_another_trouble_with_the_same_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("a node")
    troubles = Troubles()
    for event in ("away", "away", "wrong", "wrong"):
        troubles.failed("peer", event)
    assert [line["event"] for line in lines(capsys)] == ["away", "wrong"]


def test_every_thread_says_whose_line_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("a node")
    thread = threading.Thread(target=lambda: structlog.get_logger("worker").warning("away"))
    thread.start()
    thread.join()
    structlog.get_logger("main").warning("here")
    assert [(line["service"], line["event"]) for line in lines(capsys)] == [("a node", "away"), ("a node", "here")]
