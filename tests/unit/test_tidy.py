"""The house stays tidy: small files, small functions, no floats for money, no unfinished work."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "serving", "compliance", "bridge", "audit", "nodes", "devnet")
MAX_LINES, MAX_TEST_LINES, MAX_FUNCTION = 400, 600, 60
PROMISES = 10
"""What the project promises, numbered."""
MONEY_PACKAGES = ("contracts", "nodes", "bridge")
UNFINISHED = ("TODO", "FIXME", "XXX", "HACK", "NotImplementedError")
FLOATS_ALLOWED = {
    # Seconds on a monotonic clock, never money.
    "bridge/app.py",
    "bridge/context.py",
    "bridge/following.py",
    "contracts/chain/clock.py",
    "contracts/chain/client.py",
    "contracts/chain/council.py",
    "contracts/chain/directory.py",
    "contracts/chain/rpc.py",
    "contracts/chain/transactions.py",
    "nodes/app.py",
    "nodes/batches/commit.py",
    "nodes/bell.py",
    "nodes/context.py",
    "nodes/payments/admission.py",
    "nodes/payments/endpoints.py",
    "nodes/payments/service.py",
    "nodes/batches/form.py",
    "nodes/batches/lanes.py",
    "nodes/steps.py",
    "nodes/payments/stream.py",
    "nodes/worker.py",
}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".vy", ".vyi")]
    assert found, "the house is empty"
    return sorted(found)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_files_are_short() -> None:
    long = {path: len(path.read_text().splitlines()) for path in sources(*PACKAGES)}
    assert {str(path.relative_to(ROOT)): n for path, n in long.items() if n > MAX_LINES} == {}
    tests = {path: len(path.read_text().splitlines()) for path in sources("tests")}
    assert {str(path.relative_to(ROOT)): n for path, n in tests.items() if n > MAX_TEST_LINES} == {}


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources(*PACKAGES)
        if path.suffix == ".py" and "migrations" not in path.parts
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION
    ]
    assert long == []


def test_no_floats_where_money_is() -> None:
    """A float literal, a call of float() or a float annotation in a package that handles money."""
    found = []
    for path in sources(*MONEY_PACKAGES):
        name = str(path.relative_to(ROOT))
        if path.suffix != ".py" or name in FLOATS_ALLOWED:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            named = isinstance(node, ast.Name) and node.id == "float"
            if literal or named:
                found.append(f"{name}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []


@pytest.mark.parametrize("word", UNFINISHED)
def test_nothing_is_left_unfinished(word: str) -> None:
    marked = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources(*PACKAGES)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word in line
    ]
    assert marked == []


def test_each_promise_has_a_test_named_after_it() -> None:
    names = [node.name for path in sources("tests") if path.suffix == ".py" for node in functions(path)]
    told = {int(number) for name in names for number in re.findall(r"^test_promise_(\d+)_", name)}
    assert told == set(range(1, PROMISES + 1))
