"""What the product asks of the standard library, answered by the simulation: time, threads, queues and randomness.

`install` puts these in place of the real ones in every module of the product, which itself stays as it is. From then on
this Python process is the simulation's: it runs one seed after the other and nothing else.
"""

from __future__ import annotations

import concurrent.futures
import importlib
import inspect
import pkgutil
import queue
import secrets
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.simulation.scheduler import Process, Scheduler, Task
from tests.simulation.violation import Violation

EPOCH = 1_790_000_000.0
"""Seconds since 1970 at which every run begins."""
PACKAGES = ("contracts", "serving", "compliance", "bridge", "nodes")
AT_WORK, IDLE, SHORTEST = 10.0, 30.0, 0.4
"""A thread that waits to be woken looks by itself up to so many times later than it asks for (while its process has
something to do, and otherwise), and not sooner than after so many seconds: idle looks would be most of a run, and a
machine may be as slow as it likes."""

_scheduler: Scheduler | None = None


def use(scheduler: Scheduler) -> None:
    """The run that answers from now on."""
    global _scheduler
    _scheduler = scheduler


def scheduler() -> Scheduler:
    assert _scheduler is not None, "no run"
    return _scheduler


def monotonic() -> float:
    host = scheduler().process.host
    return host.booted + scheduler().now * host.rate


def wall() -> float:
    return EPOCH + scheduler().now + scheduler().process.host.skew


class Event:
    """threading.Event"""

    def __init__(self) -> None:
        self._flag = False
        self._waiting: list[Task] = []

    def is_set(self) -> bool:
        return self._flag

    def set(self) -> None:
        self._flag = True
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            scheduler().wake(task)

    def clear(self) -> None:
        self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        ends = None if timeout is None else scheduler().now + _sluggishly(timeout)
        while not self._flag:
            if ends is not None and scheduler().now >= ends:
                return False
            self._waiting.append(scheduler().current)
            scheduler().park(None if ends is None else ends - scheduler().now)
        return True


def _sluggishly(seconds: float) -> float:
    run = scheduler()
    return max(seconds, SHORTEST) * (1 + run.luck.random() * (AT_WORK if run.now < run.process.busy_until else IDLE))


class Thread:
    """threading.Thread: a task of the process that starts it."""

    def __init__(
        self, target: Callable[..., object], args: tuple[Any, ...] = (), name: str = "", daemon: bool = False
    ) -> None:
        self._target, self._args, self.name = target, args, name
        self._task: Task | None = None

    def start(self) -> None:
        self._task = scheduler().spawn(scheduler().process, self.name, lambda: self._target(*self._args))

    def join(self) -> None:
        assert self._task is not None
        scheduler().join(self._task)

    def runs(self) -> bool:
        return self._task is not None and self._task is scheduler().current


class Future:
    """concurrent.futures.Future, as far as the product asks: waiting for it lets others run."""

    def __init__(self) -> None:
        self._done = False
        self._result: Any = None
        self._failure: BaseException | None = None
        self._tasks: list[Task] = []

    def done(self) -> bool:
        return self._done

    def set_running_or_notify_cancel(self) -> bool:
        """Nobody stops waiting in a way that a future hears of."""
        return True

    def set_result(self, result: Any) -> None:
        self._end(result, None)

    def set_exception(self, failure: BaseException | None) -> None:
        self._end(None, failure)

    def result(self, timeout: float | None = None) -> Any:
        failure = self.exception(timeout)
        if failure is not None:
            raise failure
        return self._result

    def exception(self, timeout: float | None = None) -> BaseException | None:
        wait([self], timeout)
        if not self._done:
            raise concurrent.futures.TimeoutError
        return self._failure

    def hear(self, task: Task) -> None:
        """Wake a task when it is done."""
        self._tasks.append(task)

    def _end(self, result: Any, failure: BaseException | None) -> None:
        assert not self._done, "a future ends once"
        self._done, self._result, self._failure = True, result, failure
        for each in self._tasks:
            scheduler().wake(each)


def wait(futures: Iterable[Future], timeout: float | None = None) -> None:
    """concurrent.futures.wait, for all of them."""
    waiting, ends = list(futures), None if timeout is None else scheduler().now + timeout
    for future in waiting:
        if not future.done():
            future.hear(scheduler().current)
    while not all(future.done() for future in waiting):
        if ends is not None and scheduler().now >= ends:
            return
        scheduler().park(None if ends is None else ends - scheduler().now)


class Executor:
    """concurrent.futures.ThreadPoolExecutor with as many threads as are asked for."""

    def __init__(self, max_workers: int = 0, thread_name_prefix: str = "pool") -> None:
        self._name = thread_name_prefix

    def submit(self, run: Callable[..., Any], *args: Any) -> Future:
        future = Future()

        def work() -> None:
            try:
                future.set_result(run(*args))
            except Exception as failure:
                future.set_exception(failure)

        scheduler().spawn(scheduler().process, self._name, work)
        return future

    def map(self, run: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
        futures = [self.submit(run, *each) for each in zip(*arguments, strict=False)]
        return iter([each.result() for each in futures])

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """Its tasks end with their process."""


class Queue:
    """queue.Queue"""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._waiting: list[Task] = []

    def put(self, item: Any) -> None:
        self._items.append(item)
        for task in self._waiting:
            scheduler().wake(task)
        self._waiting.clear()

    def get(self) -> Any:
        while not self._items:
            self._waiting.append(scheduler().current)
            scheduler().park()
        return self._items.popleft()

    def get_nowait(self) -> Any:
        if not self._items:
            raise queue.Empty
        return self._items.popleft()


_CURRENT = object()
"""No thread of the product's: it asks only whether it is one of them, and a writer's own work waits for no other."""


def _token_bytes(count: int = 32) -> bytes:
    return scheduler().luck.randbytes(count)


def _uuid4() -> uuid.UUID:
    return uuid.UUID(bytes=scheduler().luck.randbytes(16), version=4)


def _exit(code: int) -> None:
    process: Process = scheduler().process
    raise scheduler().fail(f"{process.name} halted with exit code {code}")


_TIME = SimpleNamespace(
    monotonic=monotonic,
    perf_counter=monotonic,
    time=wall,
    time_ns=lambda: int(wall() * 1_000) * 1_000_000,
    sleep=lambda seconds: scheduler().sleep(seconds),
)
_THREADING = SimpleNamespace(Thread=Thread, Event=Event, Lock=threading.Lock, current_thread=lambda: _CURRENT)
_SECRETS = SimpleNamespace(
    token_bytes=_token_bytes,
    token_hex=lambda count=32: _token_bytes(count).hex(),
    token_urlsafe=lambda count=32: _token_bytes(count).hex(),
)
_INSTEAD: list[tuple[object, object]] = [
    (time, _TIME),
    (time.monotonic, monotonic),
    (threading, _THREADING),
    (threading.Event, Event),
    (queue, SimpleNamespace(Queue=Queue, Empty=queue.Empty)),
    (secrets, _SECRETS),
    (uuid, SimpleNamespace(UUID=uuid.UUID, uuid4=_uuid4)),
    (concurrent.futures.ThreadPoolExecutor, Executor),
    (concurrent.futures.Future, Future),
    (concurrent.futures.wait, wait),
]


def install() -> None:
    """Replace the standard library's time, threads, queues and randomness in all modules of the product."""
    for package in PACKAGES:
        _import_all(package)
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] in PACKAGES:
            _replace_in(module)
    sys.modules["serving.halt"].os = SimpleNamespace(_exit=_exit)  # type: ignore[attr-defined]
    threading.Thread.start = _no_thread  # type: ignore[method-assign]
    time.sleep = _no_sleep


def _import_all(package: str) -> None:
    """Also what is imported late: everything is in place before the first run."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not any(part in found.name for part in ("migrations", "cli", "vyper", "client_http")):
            importlib.import_module(found.name)


def _replace_in(module: ModuleType) -> None:
    for name, value in list(vars(module).items()):
        if (instead := _instead_of(value)) is not None:
            setattr(module, name, instead)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for each in vars(value).values():
                _replace_defaults(each)
        elif inspect.isfunction(value):
            _replace_defaults(value)


def _replace_defaults(function: object) -> None:
    """A clock as the default of an argument, or an event that a dataclass makes for a field."""
    if not inspect.isfunction(function):
        return
    function.__defaults__ = function.__defaults__ and tuple(_instead_of(each) or each for each in function.__defaults__)
    for cell in function.__closure__ or ():
        if (instead := _instead_of(cell.cell_contents)) is not None:
            cell.cell_contents = instead


def _instead_of(value: object) -> object | None:
    if isinstance(value, concurrent.futures.ThreadPoolExecutor):
        return Executor()
    return next((instead for original, instead in _INSTEAD if value is original), None)


def _no_thread(_: object) -> None:
    raise Violation("a thread that the simulation does not rule")


def _no_sleep(_: float) -> None:
    raise Violation("a sleep that the simulation does not rule")
