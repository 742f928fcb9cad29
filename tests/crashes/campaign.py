"""Killing a network at its crash points: count them, step on each, die again while recovering, and be exact."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from devnet.network.api import Apis
from devnet.network.folder import SERVICES
from devnet.network.found import found
from devnet.network.people import open_account, welcome
from devnet.network.processes import NotRunning
from devnet.network.run import MEMBERS_SERVICES, run
from tests import databases
from tests.crashes import acts, exact
from tests.crashes.acts import ACTS, RESEMBLING, Act, Script
from tests.crashes.nursery import ForkedProcesses
from tests.crashes.traps import Death, Traps
from tests.end_to_end.load import Stage

LIFETIME, HOLD_LIFETIME = 10, 40
"""Seconds that a payment may take, and a held one."""
START = "start"
"""The act of a service that begins; every service of the network has done it once when the script begins."""
DEPTHS = 9
"""A recovering process dies at its first, second, ... different point in turn: it comes to so many at every start."""
_ATTEMPTS = 3
_PATIENCE = 60.0
_LOOK_AGAIN = 0.02


@dataclass
class Scene:
    """A network under traps. `points` are its crash points, each with the acts that come to it, the quickest first."""

    script: Script
    traps: Traps
    points: dict[str, list[str]] = field(default_factory=dict)

    @property
    def processes(self) -> ForkedProcesses:
        processes = self.script.stage.processes
        assert isinstance(processes, ForkedProcesses)
        return processes


@dataclass(frozen=True)
class Kill:
    """What happened at one point: the process that stepped on it, where it died again, and during which act; how the
    payments of that act ended."""

    first: Death
    again: Death
    act: str
    ends: tuple[str, ...] = ()


@contextmanager
def staged(path: Path) -> Iterator[Scene]:
    """A network whose points are told to a folder, while the block runs."""
    folder = found(path, LIFETIME, heartbeat=1.0, hold_lifetime=HOLD_LIFETIME, server=databases.server())
    traps = Traps(path / "traps")
    traps.order(count=START)
    processes = ForkedProcesses(folder, path / "traps")
    try:
        run(folder, processes)
        apis = Apis.of(folder)
        traps.order()
        stage = Stage(folder, processes, apis, dict(welcome(apis)), folder.chain())
        open_account(apis.nodes[RESEMBLING.country], RESEMBLING)
        yield Scene(Script(stage), traps)
        apis.close()
    finally:
        processes.close()


def count(scene: Scene, script_of: Sequence[Act] = ACTS) -> None:
    """Act out the script once, undisturbed, and note which points each act comes to."""
    script = scene.script
    for each in MEMBERS_SERVICES:  # once more, as after a kill
        scene.traps.order(count=START)
        scene.processes.stop([each])
        scene.processes.start([each])
        scene.processes.wait([each])
    for act in script_of:
        scene.traps.order(count=act.__name__)
        act(script, 0)
    scene.traps.order()
    exact.check_latest(script, script.deeds)
    counted = scene.traps.counted()
    for name in (*(act.__name__ for act in script_of), START):
        for point in sorted(counted[name]):
            scene.points.setdefault(point, []).append(name)


def kill_at(scene: Scene, point: str, number: int) -> Kill:
    """Whoever comes to `point` dies there, and once more while it recovers; then everything must be exact."""
    known = len(scene.script.deeds)
    for attempt in range(_ATTEMPTS):
        for act in scene.points[point]:
            killed = _act_out(scene, point, act, number + attempt)
            deeds = scene.script.deeds[known:]
            exact.check_latest(scene.script, deeds)
            if killed is not None:
                return replace(killed, ends=tuple(f"{deed.standing.status} {deed.standing.detail}" for deed in deeds))
    raise AssertionError(f"nobody came to {point}")


def _act_out(scene: Scene, point: str, name: str, number: int) -> Kill | None:
    """Do an act in whose course somebody comes to `point`; None when nobody did."""
    act = next((each for each in ACTS if each.__name__ == name), acts.pay)
    scene.traps.order(at=point)
    with ThreadPoolExecutor(1) as pool:
        if name == START:
            _begin_again(scene, point)
        doing = pool.submit(act, scene.script, number)
        killed = _recover(scene, point, name, number) if _await(lambda: scene.traps.deaths() or doing.done()) else None
        doing.result()
    scene.traps.order()
    return killed


def _begin_again(scene: Scene, point: str) -> None:
    """Start a service anew that has this point."""
    kind = point.partition(":")[0]
    service = next(name for name in MEMBERS_SERVICES if SERVICES[name] == kind)
    scene.processes.stop([service])
    scene.processes.start([service])
    with suppress(NotRunning):
        scene.processes.wait([service])


def _recover(scene: Scene, point: str, act: str, number: int) -> Kill | None:
    """Start who died; it dies again at one of the first points that it comes to, and is started for good."""
    deaths = scene.traps.deaths()
    if not deaths:
        return None
    [first] = deaths
    assert first.point == point
    service = first.service
    assert _await(lambda: not scene.processes.is_running(service)), f"{service} lives on"
    scene.traps.order(service=service, distinct=1 + number % DEPTHS)
    scene.processes.start([service])
    with suppress(NotRunning):
        scene.processes.wait([service])
    assert _await(lambda: scene.traps.deaths()), f"{service} comes to fewer than {DEPTHS} points when it begins"
    [again] = scene.traps.deaths()
    assert _await(lambda: not scene.processes.is_running(service)), f"{service} lives on"
    scene.traps.order()
    scene.processes.start([service])
    scene.processes.wait([service])
    return Kill(first, again, act)


def _await(look: Callable[[], object]) -> bool:
    """Whether it came about in time."""
    end = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_AGAIN)
    return True
