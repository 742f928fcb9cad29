"""What test and services tell each other in one folder: which crash points are counted, and at which ones to die.

A service reads the test's orders at every point that it reaches. It says in the folder that it dies before it does:
kill -9 leaves what was written to a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Orders:
    """`count` names what is under way, "" while nothing is counted. Whoever comes to a point of `at` first dies there.

    The service `recovering` passes these, and dies at the `distinct`-th different point since it began; once a `turn`.
    """

    count: str = ""
    at: tuple[str, ...] = ()
    recovering: str = ""
    distinct: int = 0
    turn: int = 0


@dataclass(frozen=True)
class Death:
    """Which service died at which point."""

    service: str
    point: str


class Traps:
    """The folder, as the test sees it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._turn = folder, 0

    def count(self, name: str) -> None:
        """Count under this name, and let nobody die."""
        self._order(Orders(count=name))

    def set(self, points: Collection[str]) -> None:
        """From now on one dies at each of these points; nobody any more with none."""
        self._order(Orders(at=tuple(points)))

    def set_for(self, service: str, distinct: int, points: Collection[str]) -> int:
        """As `set`, but this service dies as it recovers; under which turn `died_again` tells."""
        self._turn += 1
        self._order(Orders("", tuple(points), service, distinct, self._turn))
        return self._turn

    def forget(self) -> None:
        """The deaths so far."""
        for each in self._folder.glob("died-*"):
            each.unlink()

    def deaths(self) -> dict[str, Death]:
        """Who died where, by the points that were set."""
        found = [_read(each) for each in self._folder.glob("died-at-*")]
        return {death.point: death for death in found}

    def died_again(self, turn: int) -> Death | None:
        file = self._folder / _again(turn)
        return _read(file) if file.exists() else None

    def counted(self) -> dict[str, set[str]]:
        """The points that were reached while something was counted, by its name."""
        found: dict[str, set[str]] = {}
        for file in self._folder.glob("reached-*"):
            for line in file.read_text().splitlines():
                name, point = line.split("\t")
                found.setdefault(name, set()).add(point)
        return found

    def _order(self, orders: Orders) -> None:
        fresh = self._folder / "orders.new"
        fresh.write_text(json.dumps(asdict(orders)))
        fresh.replace(self._folder / "orders")


class Walker:
    """One service's process, which may step into a trap at every point that it reaches."""

    def __init__(self, folder: Path, service: str) -> None:
        self._folder, self._service = folder, service
        self._reached: set[str] = set()
        self._counted: set[tuple[str, str]] = set()

    def reach(self, point: str) -> bool:
        """Whether to die here."""
        self._reached.add(point)
        orders = Orders(**json.loads((self._folder / "orders").read_text()))
        if orders.count:
            self._count(orders.count, point)
        if orders.recovering == self._service:
            return len(self._reached) >= orders.distinct and self._is_first(point, _again(orders.turn))
        return point in orders.at and self._is_first(point, f"died-at-{hashlib.sha256(point.encode()).hexdigest()}")

    def _count(self, name: str, point: str) -> None:
        if (name, point) not in self._counted:
            self._counted.add((name, point))
            with (self._folder / f"reached-{self._service}").open("a") as file:
                file.write(f"{name}\t{point}\n")

    def _is_first(self, point: str, death: str) -> bool:
        """Say that this process dies, which one process and thread alone can."""
        said = self._folder / f"dies-{os.getpid()}-{hashlib.sha256(os.urandom(8)).hexdigest()}"
        said.write_text(f"{self._service}\t{point}")
        try:
            os.link(said, self._folder / death)
        except FileExistsError:
            return False
        finally:
            said.unlink()
        return True


def _again(turn: int) -> str:
    return f"died-again-{turn}"


def _read(file: Path) -> Death:
    return Death(*file.read_text().split("\t"))
