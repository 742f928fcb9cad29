"""What goes wrong in a run: drawn from the seed before it begins, so that every run has some of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from tests.simulation.databases import Point
from tests.simulation.lies import liar, twofold
from tests.simulation.scheduler import Scheduler
from tests.simulation.services import Service
from tests.simulation.stage import Stage
from tests.simulation.wallets import AMOUNTS, Habits
from tests.simulation.wire import Odds

DEEPEST = 64
SKEW = 300.0
"""Seconds by which a wall clock may be off, either way."""
JUST_SIGNED = 0.5
"""Seconds after a signature in which a backup does the most harm: it does not know of it, and it may settle."""


@dataclass(frozen=True)
class Plan:
    """Times in seconds of virtual time. `calm` is when everything works again."""

    calm: float
    odds: Odds
    block_time: float
    finality: int
    reorganisations: tuple[tuple[float, int], ...]
    crashes: tuple[tuple[float, str, Point], ...]
    restore: tuple[str, float, float, bool] | None
    """Whose database, when the copy is taken and put back, and whether that waits until its service has just signed."""
    stall: tuple[float, float] | None
    slow: tuple[str, float] | None
    liar: tuple[str, bool] | None
    """Who lies, and whether about the places of batches alone."""
    skewed: tuple[tuple[str, float, float, float], ...]
    away: tuple[str, float] | None
    habits: Habits


def plan(seed: int, names: list[str]) -> Plan:
    """What goes wrong in the run of a seed."""
    luck = Random(seed * 7_919 + 13)
    calm = 28.0 + luck.random() * 10
    depths = [luck.choice([1, 1, 2, 3, luck.randint(4, 12), luck.randint(4, 12), luck.randint(1, DEEPEST)])]
    depths += [luck.randint(1, 4) for _ in range(luck.randrange(3))]
    chosen = luck.sample(names, 2)
    nodes = [name for name in names if not name.startswith("compliance")]
    early = 3 + luck.random() * 8
    later = luck.choice([2 + luck.random() * 8, 5 + luck.random() * (calm - 20)])
    return Plan(
        calm=calm,
        odds=Odds(
            lost=luck.choice([0.0, 0.02, 0.08]),
            doubled=luck.choice([0.02, 0.08]),
            kept=luck.choice([0.0, 0.03]),
            delayed=luck.choice([0.03, 0.12]),
            longest=luck.choice([1.0, 3.0, 8.0]),
        ),
        block_time=luck.choice([1.0, 2.0, 2.5]),
        finality=luck.choice([0, 1, 1, 2]),  # seconds behind the head are lost to each batch, which has twelve
        reorganisations=tuple((5 + luck.random() * (calm - 15), depth) for depth in depths),
        crashes=tuple(
            (3 + luck.random() * (calm - 6), luck.choice(names), luck.choice(list(Point)))
            for _ in range(luck.randint(1, 4))
        ),
        restore=(luck.choice(names), early, early + later, luck.random() < 0.6) if luck.random() < 0.4 else None,
        stall=(8 + luck.random() * 16, 5 + luck.random() * 25) if luck.random() < 0.3 else None,
        slow=(chosen[0], luck.choice([1.0, 4.0])) if luck.random() < 0.3 else None,
        liar=(luck.choice(nodes), luck.random() < 0.4) if luck.random() < 0.3 else None,
        skewed=tuple(
            (name, luck.random() * calm / 2, 3 + luck.random() * 12, luck.uniform(-SKEW, SKEW)) for name in chosen[1:]
        ),
        away=(luck.choice(names), luck.choice([0.05, 0.3])) if luck.random() < 0.3 else None,
        habits=Habits(
            luck.choice([1, 2, 2]),
            *((luck.random() * (calm - 20), 4.0) if luck.random() < 0.4 else (0.0, calm / 1.5)),
            luck.choice([AMOUNTS, AMOUNTS, AMOUNTS[-2:]]),
        ),
    )


class Chaos:
    """Makes a plan happen on a stage."""

    def __init__(self, stage: Stage, told: Plan) -> None:
        self._stage, self._plan = stage, told
        self._held = 0
        """How many reorganisations are being prepared: meanwhile no block becomes final."""
        self.reorganised: list[int] = []

    def start(self) -> None:
        stage, told, run = self._stage, self._plan, self._stage.scheduler
        stage.wire.odds = told.odds
        first = 1 + run.luck.randrange(4)
        stage.wire.due |= {first: "drop", first + 1: "overtake", first + 2: "overtake", first + 4: "overtake"}
        stage.restarts = lambda _: 0.3 + 4 * run.luck.random()
        for name, host in ((name, each.host) for name, each in stage.services.items()):
            host.rate, host.booted = 1 + run.luck.uniform(-0.01, 0.01), run.luck.random() * 1e6
            assert name == host.name
        self._spawn("chain", self._make_blocks)
        for at, depth in told.reorganisations:
            self._at(at, partial(self._spawn, "reorganise", partial(self._reorganise, depth)))
        for at, name, point in told.crashes:
            self._at(at, partial(stage.armed.setdefault(name, []).append, point))
        if told.restore:
            self._restore(*told.restore)
        if told.slow:
            stage.wire.slow[told.slow[0]] = told.slow[1]
        if told.liar:
            self._lie(stage.services[told.liar[0]], told.liar[1])
        for name, at, lasts, skew in told.skewed:
            self._skew(stage.services[name], at, lasts, skew)
        if told.away:
            stage.services[told.away[0]].chain.away = told.away[1]
        self._at(told.calm, self._calm)

    def _calm(self) -> None:
        stage = self._stage
        stage.trace("calm: nothing more goes wrong")
        if not stage.crashes:  # whoever was to crash has committed nothing since; a node will
            stage.armed = {name: [self._plan.crashes[0][2]] for name in stage.services if name.startswith("node ")}
        stage.wire.odds = Odds()
        stage.wire.slow.clear()
        stage.wire.lies.clear()
        for service in stage.services.values():
            service.host.skew, service.chain.away, service.lie = 0.0, 0.0, None
            if service.door:
                service.door.lie = None

    def _make_blocks(self) -> None:
        stage, told, run = self._stage, self._plan, self._stage.scheduler
        while True:
            run.sleep(told.block_time * (0.7 + 0.6 * run.luck.random()) if run.now < told.calm else 4.0)
            if told.stall and told.stall[0] <= run.now < min(sum(told.stall), told.calm):
                continue
            block = stage.chain.mine(self._time())
            if block.transactions:
                stage.trace(f"block {block.number}: {len(block.transactions)} sent, {len(block.settled)} settled")
            if not self._held:
                self._finalise(stage.chain.head.number - (told.finality if run.now < told.calm else 0))

    def _finalise(self, number: int) -> None:
        stage = self._stage
        blocks = stage.chain.finalise(number)
        for block in blocks:
            if block.settled:
                stage.trace(f"final: block {block.number} with {len(block.settled)} batches")
        stage.oracle.finalised(blocks)

    def _reorganise(self, depth: int) -> None:
        """Let so many blocks wait for finality, then put others in their place."""
        stage, run = self._stage, self._stage.scheduler
        self._held += 1
        while stage.chain.head.number - stage.chain.final < depth:
            run.sleep(0.5)
            if depth > 12 and run.luck.random() < 0.6:
                stage.chain.mine(self._time())  # nobody waits a minute of chain time for this
        lose = run.luck.choice([0.0, 0.0, 0.3])
        undone = stage.chain.reorganise(depth, self._time(), lose)
        self.reorganised.append(depth)
        stage.trace(
            f"reorganisation: {depth} blocks replaced, {sum(len(each.settled) for each in undone)} batches undone"
        )
        run.sleep(run.luck.random() * 3)
        self._held -= 1

    def _restore(self, name: str, taken: float, put: float, at_worst: bool) -> None:
        stage, service, kept = self._stage, self._stage.services[name], list[bytes]()

        def back_up() -> None:
            kept.append(service.disk.content())
            stage.trace(f"backup: of {name}")

        def restore() -> None:
            now = stage.scheduler.now
            signed = now - stage.oracle.signed_at.get(name, 0.0) < JUST_SIGNED
            if service.process is None or not service.process.alive:
                self._at(now + 0.5, restore)
            elif at_worst and not signed and now < self._plan.calm - 1:
                self._at(now + JUST_SIGNED / 2, restore)
            else:
                stage.restore(service, kept[0], service.process)

        self._at(taken, back_up)
        self._at(put, restore)

    def _skew(self, service: Service, at: float, lasts: float, skew: float) -> None:
        def step(seconds: float) -> None:
            service.host.skew = seconds
            self._stage.trace(f"clock of {service.name}: {seconds:+.0f} s")

        self._at(at, lambda: step(skew))
        self._at(at + lasts, lambda: step(0.0))

    def _lie(self, service: Service, places: bool) -> None:
        told = twofold(self._stage) if places else liar(self._stage)
        service.lie = self._stage.wire.lies[service.name] = told

    def _time(self) -> int:
        return int(self._stage.chain.blocks[0].timestamp + 20 + self._stage.scheduler.now)

    def _spawn(self, name: str, run: Callable[[], Any]) -> None:
        self._stage.scheduler.spawn(self._stage.scheduler.world, name, run)

    def _at(self, time: float, act: Callable[[], Any]) -> None:
        scheduler: Scheduler = self._stage.scheduler
        scheduler.later(max(0.0, time - scheduler.now), act)
