"""The papers say what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_state_diagram_is_that_of_the_transition_table() -> None:
    specification = importlib.util.spec_from_file_location("states", ROOT / "docs" / "states.py")
    assert specification is not None
    assert specification.loader is not None
    states = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(states)
    assert (ROOT / "docs" / "STATES.md").read_text() == states.page(), "run: .venv/bin/python docs/states.py"


def test_every_file_that_a_paper_names_is_there() -> None:
    missing = []
    for paper in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", paper.read_text()):
            if "://" not in target and not (paper.parent / target).exists():
                missing.append(f"{paper.name} -> {target}")
    assert missing == []
