"""Figures as tables for people and as JSON for comparisons, with the machine that they were measured on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Drawing


@dataclass(frozen=True)
class Table:
    """`rows` hold one value a column; a column's name says its unit."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""

    def show(self, console: Console) -> None:
        drawing = Drawing(title=self.title, title_justify="left", caption=self.note or None, caption_justify="left")
        for column in self.columns:
            drawing.add_column(column, justify="left" if column == self.columns[0] else "right")
        for row in self.rows:
            drawing.add_row(*(_text(value) for value in row))
        console.print(drawing, "")

    def raw(self) -> dict[str, Any]:
        return {"title": self.title, "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows]}


@dataclass(frozen=True)
class Timing:
    """Seconds of one core that one go of the work took, in each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def measured(work: Callable[[], object], times: int = 1, rounds: int = 9) -> Timing:
    """Do the work `times` times a round. Processor time, because others share the machine."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - start) / times)
    return Timing(tuple(taken))


def verdict(figure: float, target: float | None) -> str:
    """A figure beside the most that it may be."""
    if target is None:
        return ""
    return f"<= {target:,g}: {'holds' if figure <= target else 'MISSED'}"


def machine() -> dict[str, Any]:
    """Where and when the figures come from: they are ratios on any other machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.system(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _text(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if value >= 10 else f"{value:.3g}"
    return str(value)
