"""Killing a network at its crash points: count them, step on each, die again while recovering, and be exact."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from contracts.terms.errors import ChainUnavailable
from devnet.network import cast
from devnet.network.api import Apis
from devnet.network.establish import admit, deploy, issue
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.found import found
from devnet.network.people import open_account, welcome
from devnet.network.processes import NotRunning
from devnet.network.run import MEMBERS_SERVICES, run
from tests import databases
from tests.crashes import acts, exact
from tests.crashes.acts import ACTS, RESEMBLING, Act, Script
from tests.crashes.nursery import TrappedProcesses
from tests.crashes.traps import Death, Traps
from tests.end_to_end.load import Stage

LIFETIME, HOLD_LIFETIME, QUOTE_LIFETIME = 60, 240, 200
"""Seconds that a payment may take, and a held one: longer than a few recoveries, so that it goes on after them. A price
outlives both acceptance and payment."""
START = "start"
"""The act of a service that begins."""
DEPTHS = 9
"""A recovering process dies at its first, second, ... different point in turn: it comes to so many at every start."""
BY_CHANCE = "serving.database._nothing"
"""The commit of a message's nonce by itself: only where what the message asked for was refused, or wrote nothing, and
no other commit came first. Who comes to it again dies there, but nobody owes it."""
_ATTEMPTS = 4
_PATIENCE = 240.0
_LOOK_AGAIN = 0.02
_LATE = 2.0
"""Seconds in which those who follow the chain come to a point after everybody else has done their part."""


@dataclass(frozen=True)
class Kill:
    """What happened at one point: the process that stepped on it, and where it died again; during which act."""

    first: Death
    again: Death
    act: str


@dataclass
class Scene:
    """A network under traps. `points` are its crash points, each with the acts that come to it, the quickest first."""

    script: Script
    traps: Traps
    points: dict[str, list[str]] = field(default_factory=dict)
    kills: dict[str, Kill] = field(default_factory=dict)
    """What happened so far, by the point."""

    @property
    def processes(self) -> TrappedProcesses:
        processes = self.script.stage.processes
        assert isinstance(processes, TrappedProcesses)
        return processes


@contextmanager
def staged(path: Path) -> Iterator[Scene]:
    """A network whose points are told to a folder, while the block runs."""
    folder = found(path, LIFETIME, heartbeat=1.0, hold_lifetime=HOLD_LIFETIME, server=databases.server())
    with folder.settings(cast.PROVIDER_BRIDGE).open("a") as settings:
        settings.write(f"quote_lifetime = {QUOTE_LIFETIME}\n")
    traps = Traps(path / "traps")
    traps.count(START)
    processes = TrappedProcesses(folder, path / "traps")
    try:
        _found(folder, processes)
        run(folder, processes)
        apis = Apis.of(folder)
        stage = Stage(folder, processes, apis, dict(welcome(apis)), folder.chain())
        open_account(apis.nodes[RESEMBLING.country], RESEMBLING)
        yield Scene(Script(stage), traps)
        apis.close()
    finally:
        processes.close()


def _found(folder: NetworkFolder, processes: TrappedProcesses) -> None:
    """The council's work before anybody else begins: together they keep a small machine from answering in time."""
    processes.start([CHAIN])
    processes.wait([CHAIN])
    client, end = folder.chain(), time.monotonic() + _PATIENCE
    steps = [deploy, admit, issue]
    while steps:
        try:
            steps[0](folder, client)
            steps.pop(0)
        except ChainUnavailable:  # what is there already is left as it is
            if time.monotonic() > end:
                raise


def count(scene: Scene, script_of: Sequence[Act] = ACTS) -> None:
    """Act out the script once, undisturbed, and note which points each act comes to."""
    scene.traps.count(START)  # once more, with books that are not empty
    scene.processes.stop(MEMBERS_SERVICES)
    scene.processes.start(MEMBERS_SERVICES)
    scene.processes.wait(MEMBERS_SERVICES)
    for act in script_of:
        scene.traps.count(act.__name__)
        act(scene.script, 0)
    scene.traps.set([])
    exact.check_latest(scene.script, scene.script.deeds)
    counted = scene.traps.counted()
    for name in (*(act.__name__ for act in script_of), START):
        for point in sorted(counted[name]):
            scene.points.setdefault(point, []).append(name)


def rounds(scene: Scene, wanted: Collection[str], size: int) -> Iterator[tuple[str, list[str]]]:
    """The points that are wanted in groups of at most `size`, each with the quickest act that comes to all of them."""
    by_act: dict[str, list[str]] = {}
    for point in sorted(wanted):
        by_act.setdefault(scene.points[point][0], []).append(point)
    for act, points in by_act.items():
        groups = math.ceil(len(points) / size)
        for first in range(groups):
            yield act, points[first::groups]  # a group's points lie apart


def kill_at(scene: Scene, act: str, points: Sequence[str]) -> None:
    """Somebody dies at each of `points`, and once more while it recovers; then everything must be exact.

    Raises AssertionError when after several tries nobody has come to one that does not hang on chance.
    """
    others = sorted({other for point in points for other in scene.points[point]} - {act})
    for name in [act] * _ATTEMPTS + others:
        left = [point for point in points if point not in scene.kills]
        if left:
            known = len(scene.script.deeds)
            _act_out(scene, name, left)
            exact.check_latest(scene.script, scene.script.deeds[known:])
    owed = [point for point in points if point not in scene.kills and BY_CHANCE not in point]
    assert not owed, f"nobody came to {owed}"


def _act_out(scene: Scene, name: str, points: Sequence[str]) -> None:
    """Do an act under traps at these points until it is over; whoever dies in its course recovers."""
    act = next((each for each in ACTS if each.__name__ == name), acts.pay)
    scene.traps.forget()
    scene.traps.set(points)
    if name == START:
        _begin_again(scene, points)
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(act, scene.script, len(scene.kills))
        while death := _next_death(scene, points, doing):
            _recover(scene, death, points, name)
        scene.traps.set([])
        doing.result()
    scene.processes.start(MEMBERS_SERVICES)
    scene.processes.wait(MEMBERS_SERVICES)


def _begin_again(scene: Scene, points: Sequence[str]) -> None:
    """Start one service anew of each kind that has these points."""
    kinds = {point.partition(":")[0] for point in points}
    services = [next(name for name in MEMBERS_SERVICES if SERVICES[name] == kind) for kind in sorted(kinds)]
    scene.processes.stop(services)
    scene.processes.start(services)
    for each in services:
        _wait(scene, each)


def _next_death(scene: Scene, points: Sequence[str], doing: Future[None]) -> Death | None:
    """The next that nobody has looked after; None when the act is over and nobody else dies."""

    def unseen() -> list[Death]:
        return [death for point, death in scene.traps.deaths().items() if point not in scene.kills]

    _await(lambda: unseen() or doing.done(), 10 * _PATIENCE)
    if all(point in scene.kills for point in points):
        return None
    _await(unseen, _LATE)
    return next(iter(unseen()), None)


def _recover(scene: Scene, first: Death, points: Sequence[str], act: str) -> None:
    """Start who died; it dies again at one of the first points that it comes to, and is started for good."""
    service, left = first.service, [point for point in points if point not in scene.kills and point != first.point]
    turn = scene.traps.set_for(service, 1 + len(scene.kills) % DEPTHS, left)
    assert _await(lambda: not scene.processes.is_running(service)), f"{service} lives on"
    scene.processes.start([service])
    _wait(scene, service)
    assert _await(lambda: scene.traps.died_again(turn)), f"{service} comes to fewer than {DEPTHS} points at its start"
    assert _await(lambda: not scene.processes.is_running(service)), f"{service} lives on"
    again = scene.traps.died_again(turn)
    assert again is not None
    scene.kills[first.point] = Kill(first, again, act)
    scene.traps.set(left)
    scene.processes.start([service])
    _wait(scene, service)


def _wait(scene: Scene, service: str) -> None:
    """Until it is ready, or has died."""
    with suppress(NotRunning):
        scene.processes.wait([service])


def _await(look: Callable[[], object], patience: float = _PATIENCE) -> bool:
    """Whether it came about in time."""
    end = time.monotonic() + patience
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_AGAIN)
    return True
