"""`make bench`: measure, print tables, and write the raw figures to build/bench/figures.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from tests.benchmarks import compliance, gas, growth, hashing, lists, names, network, qr
from tests.benchmarks.tables import Table, machine

SECTIONS: Mapping[str, Callable[[network.Extent], Iterator[Table]]] = {
    "compliance": lambda _: compliance.tables(),
    "gas": lambda _: gas.tables(),
    "growth": lambda _: growth.tables(),
    "hashing": lambda _: hashing.tables(),
    "lists": lambda _: lists.tables(),
    "names": lambda _: names.tables(),
    "network": network.tables,
    "qr": lambda _: qr.tables(),
}
WIDTH = 160
"""Columns that the widest table needs."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"any of {', '.join(SECTIONS)}; all without")
    parser.add_argument("--out", type=Path, default=Path("build/bench/figures.json"))
    parser.add_argument("--seconds", type=float, default=60, help="how long a network is measured in each steady state")
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    console, where = Console(width=max(WIDTH, Console().width)), machine()
    console.print(*(f"{name} {value}" for name, value in where.items()), sep=" · ", end="\n\n", highlight=False)
    extent = network.Extent(arguments.seconds, warm_up=max(2, arguments.seconds / 8))
    raw = {name: _section(SECTIONS[name](extent), console) for name in arguments.sections or SECTIONS}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"machine": where, "sections": raw}, indent=2, ensure_ascii=False) + "\n")
    console.print(f"Raw figures: {arguments.out}", highlight=False)


def _section(tables: Iterator[Table], console: Console) -> list[object]:
    shown: list[object] = []
    for table in tables:
        table.show(console)
        shown.append(table.raw())
    return shown


if __name__ == "__main__":
    main()
