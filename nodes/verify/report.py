"""What `feiqian node verify` found: for people a table and each break in words, for machines JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from nodes.verify.service import Checked, Verified

_MOST = 20
"""Breaks of one check that are named; the table has their number."""


def document(verified: Verified) -> dict[str, Any]:
    """The JSON form, with every break."""
    return {"whole": not verified.broken, **asdict(verified)}


def show(verified: Verified) -> None:
    """Print for people."""
    Console(soft_wrap=True, emoji=False, highlight=False).print(_view(verified))


def _view(verified: Verified) -> RenderableType:
    table = Table("", "check", "rows", "breaks", "what it proves")
    for each in verified.checks:
        mark = "[red]✗[/]" if each.breaks else "[green]✓[/]"
        table.add_row(mark, each.name, str(each.rows), str(len(each.breaks)), each.proves)
    if not verified.broken:
        return Group(table, Text("the book is whole", style="bold green"))
    lines = [line for each in verified.checks for line in _lines(each)]
    return Group(table, Text("\n".join(lines), style="bold red"))


def _lines(checked: Checked) -> list[str]:
    named = [f"{checked.name}: {each}" for each in checked.breaks[:_MOST]]
    left = len(checked.breaks) - len(named)
    return [*named, f"{checked.name}: and {left} more"] if left else named
