"""What test and services tell each other in one folder: which crash points are counted, and at which one to die.

A service reads the test's orders at every point that it reaches. It says in the folder that it dies before it does:
kill -9 leaves what was written to a file.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Orders:
    """`count` names what is under way, "" while nothing is counted. One process dies: at the point `at`, or, if it is
    `service`, at the `distinct`-th different point since it began."""

    count: str = ""
    at: str = ""
    service: str = ""
    distinct: int = 0


@dataclass(frozen=True)
class Death:
    """Which service died at which point."""

    service: str
    point: str


class Traps:
    """The folder, as the test sees it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._orders, self._folder = folder / "orders", folder

    def order(self, **orders: str | int) -> None:
        """From now on; deaths of before are forgotten."""
        fresh = self._folder / "orders.new"
        fresh.write_text(json.dumps(asdict(Orders(**orders))))  # type: ignore[arg-type]
        # First: whoever still dies by the old orders is forgotten too.
        fresh.replace(self._orders)
        for each in self._folder.glob("died-*"):
            each.unlink()

    def deaths(self) -> list[Death]:
        return [Death(each.name.removeprefix("died-"), each.read_text()) for each in self._folder.glob("died-*")]

    def counted(self) -> dict[str, set[str]]:
        """The points that were reached while something was counted, by its name."""
        found: dict[str, set[str]] = {}
        for file in self._folder.glob("reached-*"):
            for line in file.read_text().splitlines():
                name, point = line.split("\t")
                found.setdefault(name, set()).add(point)
        return found


class Walker:
    """One service's process, which may step into a trap at every point that it reaches."""

    def __init__(self, folder: Path, service: str) -> None:
        self._folder, self._service = folder, service
        self._reached: set[str] = set()
        self._counted: set[tuple[str, str]] = set()

    def reach(self, point: str) -> bool:
        """Whether to die here."""
        self._reached.add(point)
        try:
            orders = Orders(**json.loads((self._folder / "orders").read_text()))
        except FileNotFoundError:
            return False
        if orders.count:
            self._count(orders.count, point)
        recovering = orders.service == self._service
        deadly = len(self._reached) >= orders.distinct if recovering else point == orders.at
        return deadly and self._is_first(point)

    def _count(self, name: str, point: str) -> None:
        if (name, point) not in self._counted:
            self._counted.add((name, point))
            with (self._folder / f"reached-{self._service}").open("a") as file:
                file.write(f"{name}\t{point}\n")

    def _is_first(self, point: str) -> bool:
        """Take the orders away, which one process and thread alone can, and say who dies."""
        try:
            os.rename(self._folder / "orders", self._folder / f"obeyed-{self._service}")
        except FileNotFoundError:
            return False
        said = self._folder / f"dies-{self._service}"
        said.write_text(point)
        said.replace(self._folder / f"died-{self._service}")
        return True
