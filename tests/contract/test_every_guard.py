"""No guard without a test: each reason that a source gives is tripped in the folder of the contract that gives it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from contracts.chain.compile import CONTRACTS, SOURCES

TESTS = Path(__file__).parent
REASON = re.compile(rf'"((?:{"|".join(CONTRACTS).lower()}): [^"]+)"')


def reasons() -> list[str]:
    return sorted({found for path in SOURCES.glob("*.vy") for found in REASON.findall(path.read_text())})


def tripped(contract: str) -> set[str]:
    """The reasons that the tests in a contract's folder expect: string constants, whether given to `refused` or listed
    for a parametrized test that gives them to it."""
    trees = [ast.parse(path.read_text()) for path in (TESTS / contract).glob("test_*.py")]
    constants = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {each for each in constants if isinstance(each, str) and REASON.fullmatch(f'"{each}"')}


@pytest.mark.parametrize("reason", reasons())
def test_guard_is_tripped_where_it_belongs(reason):
    assert reason in tripped(reason.partition(":")[0])


def test_no_reason_is_expected_that_no_source_gives():
    expected = {each for contract in CONTRACTS for each in tripped(contract.lower())}
    assert expected <= set(reasons())
