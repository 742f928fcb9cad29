"""Virtual time and threads that take turns: who runs next, and when, follows from the seed alone.

A task is a thread of a simulated process. It runs until it waits for something (time, an answer, a commit); then the
next event is the earliest one. Nothing happens between two events, so that invariants can be judged after each.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

from tests.simulation.violation import Violation


class Killed(BaseException):
    """The process of this task is dead: it does nothing more, not even clean up."""


@dataclass(eq=False)
class Host:
    """The clocks of one machine: how far its wall clock is off (seconds), and how fast its monotonic one runs."""

    name: str
    skew: float = 0.0
    rate: float = 1.0
    booted: float = 0.0


@dataclass(eq=False)
class Process:
    """One life of a service. `ends` are called when it dies; until `busy_until` it has something to do."""

    name: str
    host: Host
    alive: bool = True
    busy_until: float = 0.0
    tasks: list[Task] = field(default_factory=list)
    ends: list[Callable[[], None]] = field(default_factory=list)


@dataclass(eq=False)
class Task:
    """A thread of a process. `turn` tells the resumption that it waits for from older ones."""

    name: str
    process: Process
    work: greenlet | None = None
    turn: int = 0
    done: bool = False
    joiners: list[Task] = field(default_factory=list)


class Scheduler:
    """One run's events in the order of virtual time (seconds)."""

    def __init__(self, seed: int) -> None:
        self.luck = Random(seed)
        self.now = 0.0
        self.events = 0
        self.world = Process("world", Host("world"))
        self._queue: list[tuple[float, int, Task | Callable[[], None], int]] = []
        self._numbers = count()
        self._hub = getcurrent()
        self._current: Task | None = None
        self._failure: BaseException | None = None

    @property
    def current(self) -> Task:
        assert self._current is not None, "only a task waits"
        return self._current

    @property
    def process(self) -> Process:
        """Whose code runs now."""
        return self._current.process if self._current else self.world

    def spawn(self, process: Process, name: str, run: Callable[[], object], delay: float | None = None) -> Task:
        """Start a thread of a process; it begins a moment from now."""
        task = Task(name, process)

        def work() -> None:
            try:
                run()
            except Killed:
                pass
            except Exception as failure:
                self.fail(f"thread {name} of {process.name} died: {failure!r}").__cause__ = failure
            task.done = True
            for each in task.joiners:
                self.wake(each)

        task.work = greenlet(work, parent=self._hub)
        process.tasks.append(task)
        self._push(self.now + (self._moment() if delay is None else delay), task, task.turn)
        return task

    def later(self, delay: float, act: Callable[[], None]) -> None:
        """Call something that waits for nothing, `delay` seconds from now."""
        self._push(self.now + delay, act, 0)

    def sleep(self, seconds: float) -> None:
        """Let the current task wait."""
        self.park(seconds)

    def park(self, seconds: float | None = None) -> None:
        """Let the current task wait until it is woken or the time is over. Raises Killed."""
        task = self.current
        self.require_alive()
        task.turn += 1
        if seconds is not None:
            self._push(self.now + max(seconds, 0.0), task, task.turn)
        self._hub.switch()
        self.require_alive()

    def pause(self) -> None:
        """A moment in which others may run."""
        self.park(self._moment())

    def wake(self, task: Task) -> None:
        """Let a waiting task go on a moment from now; one that does not wait notices nothing."""
        self._push(self.now + self._moment(), task, task.turn)

    def join(self, task: Task) -> None:
        if not task.done:
            task.joiners.append(self.current)
            while not task.done:
                self.park()

    def kill(self, process: Process) -> None:
        """kill -9: no task of it runs on. (The task that calls this for its own process meets Killed at once.)"""
        if not process.alive:
            return
        process.alive = False
        for task in process.tasks:
            if not task.done and task is not self._current:
                task.turn += 1
                self._push(self.now, task, task.turn)
        for end in process.ends:
            self.later(0.0, end)

    def fail(self, what: str) -> Violation:
        """Remember the first thing that must never be, whatever becomes of the exception in the code that it meets."""
        violation = Violation(f"at {self.now:.3f} s: {what}")
        self._failure = self._failure or violation
        return violation

    def require_alive(self) -> None:
        """Raises Killed in a task of a dead process."""
        if not self.process.alive:
            raise Killed

    def run(self, until: Callable[[], bool]) -> None:
        """Take events until `until` says so. Raises the first Violation."""
        while not until():
            if not self._queue:
                raise Violation("nothing is left to happen: everybody waits for ever")
            self.step()
            if self._failure is not None:
                raise self._failure

    def step(self) -> None:
        """The next event."""
        at, _, what, turn = heapq.heappop(self._queue)
        self.now = max(self.now, at)
        if not isinstance(what, Task):
            self.events += 1
            what()
        elif not what.done and what.turn == turn:
            self.events += 1
            self._resume(what)

    def close(self) -> None:
        """End every task: the run is over."""
        self.world.alive = False
        waiting = {id(entry[2]): entry[2] for entry in self._queue if isinstance(entry[2], Task)}
        processes = {id(task.process): task.process for task in waiting.values()} | {id(self.world): self.world}
        for process in processes.values():
            process.alive = False
            for task in process.tasks:
                self.end(task)

    def end(self, task: Task) -> None:
        if not task.done and task.work is not None:
            task.done = True
            if task.work:
                self._current = task
                task.work.throw(Killed)
                self._current = None

    def _resume(self, task: Task) -> None:
        assert task.work is not None
        if not task.process.alive and not task.work:
            task.done = True  # it had not begun
            return
        self._current = task
        try:
            task.work.switch()
        finally:
            self._current = None

    def _moment(self) -> float:
        """How long a thread waits for a core: mostly not long."""
        luck = self.luck.random()
        return 0.0005 + 0.01 * luck if luck < 0.95 else 0.3 * self.luck.random()

    def _push(self, at: float, what: Any, turn: int) -> None:
        heapq.heappush(self._queue, (at, next(self._numbers), what, turn))
