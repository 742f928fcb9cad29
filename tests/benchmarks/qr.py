"""How long reading payment codes takes, every rule checked, beside the readers from npm in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from nodes.qr import paynow, promptpay_bill, read, unionpay
from nodes.qr.compose import Payee, Saying, compose
from nodes.qr.crc import checksum
from nodes.qr.tlv import parse
from tests.benchmarks.tables import Table, verdict
from tests.peers.asked import installed, timed_by_peers
from tests.qr_vectors import LABELLED_ON, valid_rows

ROUNDS, BATCH = 15, 5
TARGET = 1e6 / 15_000
"""Microseconds a payload: 15,000 payloads a second."""


def tables() -> Iterator[Table]:
    payloads = _payloads()
    rows: list[tuple[object, ...]] = [
        _row(
            "read, every rule", _microseconds(lambda: [read(each, LABELLED_ON) for each in payloads], payloads), TARGET
        ),
        _row("objects and checksum alone", _microseconds(lambda: [_walk(each) for each in payloads], payloads), None),
    ]
    if installed():
        rows += [_row(f"npm {name}", [micros], None) for name, micros in timed_by_peers(payloads).items()]
    yield Table(
        f"Reading {len(payloads)} payment codes on one core, processor time",
        ("reader", "median, µs", "least, µs", "payloads/s", "target, µs"),
        tuple(rows),
        note="" if installed() else "The peers from npm are not installed: make test-peers.",
    )


def _payloads() -> Sequence[str]:
    """The labelled EMVCo codes of ASCII characters, which every reader here takes; without them, codes of our own."""
    labelled = [row["payload"] for row in valid_rows() if row["mode"] == "MPM" and row["payload"].isascii()]
    saying = Saying(merchant_name="Tea", merchant_city="Town", amount=1200)
    own = [
        promptpay_bill("010753600031501", "R1", amount=1250),
        paynow("uen", "201403121W", 990),
        unionpay("7" * 31, 100),
        compose([Payee("PIX", {"01": "tea@example.com"})], saying),
    ]
    return labelled or own


def _walk(text: str) -> None:
    """The least that any reader must do: the top-level objects and those within, and the checksum."""
    for identifier, value in parse(text).items():
        if "26" <= identifier <= "51" or identifier == "62":
            parse(value)
    assert checksum(text[:-4]) == text[-4:].upper()


def _microseconds(work: Callable[[], object], payloads: Sequence[str]) -> list[float]:
    """Processor time a payload, of each round."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(BATCH):
            work()
        rounds.append(1e6 * (time.process_time() - start) / (BATCH * len(payloads)))
    return rounds


def _row(name: str, rounds: list[float], target: float | None) -> tuple[object, ...]:
    median = sorted(rounds)[len(rounds) // 2]
    return name, median, min(rounds), round(1e6 / median), verdict(median, target)
