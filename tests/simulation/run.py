"""One seed from the founding to the end: chaos, then calm, in which everything must come to its end."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import structlog

from tests.simulation import stage as stages
from tests.simulation.cast import BANKS
from tests.simulation.chaos import Chaos, plan
from tests.simulation.oracle import sums
from tests.simulation.stage import Stage
from tests.simulation.violation import Violation
from tests.simulation.wallets import People, open_payments

PATIENCE = 150.0
"""Seconds of calm within which everything has ended: the longest hold, a new life, a payment, a batch, and some."""
REQUIRED = ("crash", "drop", "duplicate", "reorder", "reorganisation")


@dataclass(frozen=True)
class Report:
    """What a run of a seed did. `violation` is empty when all invariants held; `digest` names the run."""

    seed: int
    violation: str
    events: int
    checks: int
    counts: Counter[str]
    digest: str
    lines: tuple[str, ...]


def run(seed: int) -> Report:
    """Run a seed."""
    begun = stages.start()
    stage = stages.set_up(seed, begun)
    _listen(stage)
    told = plan(seed, list(stage.services))
    chaos, people = Chaos(stage, told), People(stage, told.calm, told.habits)
    violation = ""
    with stages.running(stage):
        chaos.start()
        people.start()
        try:
            stage.scheduler.run(lambda: stage.scheduler.now >= told.calm)
            stage.scheduler.spawn(stage.scheduler.world, "last customer", people.try_again)
            stage.scheduler.run(lambda: _is_over(stage, people, told.calm))
            _judge_end(stage, people)
        except Violation as failure:
            violation = str(failure)
            stage.trace(f"VIOLATION {violation}")
    counts = _counts(stage, chaos, people)
    if not violation and (missing := [each for each in REQUIRED if not counts[each]]):
        violation = f"the run had no {', '.join(missing)}"
    gc.collect()
    text = "\n".join(stage.lines)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Report(seed, violation, stage.scheduler.events, stage.oracle.checks, counts, digest, tuple(stage.lines))


def _is_over(stage: Stage, people: People, calm: float) -> bool:
    """Whether nothing can move any more; looked at once a second, since it asks every book."""
    now = stage.scheduler.now
    if now - stage.looked < 1.0:
        return False
    stage.looked = now
    if people.works and all(service.up for service in stage.services.values()) and not _unfinished(stage):
        return True
    if now > calm + PATIENCE:
        raise stage.oracle.fail(
            f"not over after {PATIENCE:.0f} s of calm: {'; '.join(_unfinished(stage)) or 'no new payment settles'}"
        )
    return False


def _unfinished(stage: Stage) -> list[str]:
    """What is not over yet, in words."""
    found = [
        f"{service.name} has {uetr} {state} until {deadline}"
        for service in map(stage.node, BANKS)
        for uetr, state, deadline in open_payments(service)
    ]
    for service in map(stage.node, BANKS):
        found += [
            f"{service.name} lacks a batch: {why}" for (why,) in service.disk.look("SELECT why FROM lost_batches")
        ]
    bridge = stage.services["bridge provider"]
    live = bridge.disk.look("SELECT uetr, state FROM reservations WHERE state IN ('reserved', 'signed')")
    found += [f"{bridge.name} has {uetr} {state}" for uetr, state in live]
    final = stage.chain.final
    for service in (*map(stage.node, BANKS), bridge):
        [(number,)] = service.disk.look("SELECT COALESCE(MAX(number), 0) FROM final_blocks")
        if stage.oracle.places and number < _last_settling(stage) <= final:
            found.append(f"{service.name} has followed to block {number} of {final}")
    return found


def _last_settling(stage: Stage) -> int:
    blocks = stage.chain.blocks[: stage.chain.final + 1]
    return next((block.number for block in reversed(blocks) if block.settled), 0)


def _judge_end(stage: Stage, people: People) -> None:
    """Both agents and the provider have the same payments settled, and nothing was made or lost."""
    oracle = stage.oracle
    for uetr in oracle.settled:
        for service in map(stage.node, BANKS):
            rows = service.disk.look("SELECT state FROM payments WHERE uetr = ?", uetr)
            if rows and rows[0][0] != "settled":
                raise oracle.fail(f"payment {uetr} is settled and {rows[0][0]} at {service.name}")
        holders = [s.name for s in map(stage.node, BANKS) if s.disk.look("SELECT 1 FROM payments WHERE uetr = ?", uetr)]
        if len(holders) != 2:
            raise oracle.fail(f"payment {uetr} is settled and stands in the books of {holders}")
    _judge_sums(stage)
    for bank, _, uetr in people.paid:
        service = stage.node(bank)
        if not service.restored_at and not service.disk.look("SELECT 1 FROM payments WHERE uetr = ?", uetr):
            raise oracle.fail(f"payment {uetr} was acknowledged by {service.name} and is gone")


def _judge_sums(stage: Stage) -> None:
    """Per currency, what all books say is on chain is what was issued."""
    issued = sums(stage.chain)
    for bank in BANKS:
        assert bank.unit
        own = stage.node(bank).disk.look("SELECT balance FROM accounts WHERE id = ?", f"settlement:{bank.unit.alpha}")
        stock = stage.services["bridge provider"].disk.look(
            "SELECT SUM(amount) FROM postings WHERE account = 'stock' AND currency = ?", bank.unit.numeric
        )
        if -own[0][0] + stock[0][0] != issued[bank.unit.numeric]:
            raise stage.oracle.fail(
                f"{bank.unit.alpha}: the books have {-own[0][0] + stock[0][0]}, not what was issued"
            )


def _counts(stage: Stage, chaos: Chaos, people: People) -> Counter[str]:
    counts = Counter(stage.wire.fates)
    counts["crash"] = stage.crashes
    counts["reorganisation"] = len(chaos.reorganised)
    counts["deepest reorganisation"] = max(chaos.reorganised, default=0)
    counts["message"] = stage.wire.sent
    counts["acknowledged"] = len(people.paid)
    counts["settled"] = len(stage.oracle.settled)
    counts["batch"] = len(stage.oracle.places)
    counts["restore"] = sum(len(each.restored_at) for each in stage.services.values())
    counts["block"] = stage.chain.head.number
    return counts


def _listen(stage: Stage) -> None:
    """The product's log goes into the trace; a bug that it reports is one that the run found."""

    def hear(_: Any, method: str, event: dict[str, Any]) -> Any:
        text = " ".join([str(event.pop("event", "")), *(f"{key}={value}" for key, value in event.items())])
        failure = event.get("exc_info")
        stage.trace(f"log {stage.scheduler.process.name}: {text}")
        if text.startswith("bug") or "reconciliation break" in text:
            raise stage.oracle.fail(f"{stage.scheduler.process.name} logs: {text}") from (
                failure if isinstance(failure, BaseException) else None
            )
        raise structlog.DropEvent

    structlog.configure(processors=[hear], cache_logger_on_first_use=False)
