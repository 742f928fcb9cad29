"""No guard without a test: each reason that a source gives is tripped in the folder of the contract that gives it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.chain.compile import CONTRACTS, SOURCES

TESTS = Path(__file__).parent
REASON = re.compile(rf'"((?:{"|".join(CONTRACTS).lower()}): [^"]+)"')


def reasons() -> list[str]:
    return sorted({found for path in SOURCES.glob("*.vy") for found in REASON.findall(path.read_text())})


def tripped(contract: str) -> set[str]:
    """The reasons that `with refused("...")` expects in a contract's folder."""
    texts = [path.read_text() for path in (TESTS / contract).glob("test_*.py")]
    return {found for text in texts for found in re.findall(r'refused\(\s*"([^"]+)"', text)}


@pytest.mark.parametrize("reason", reasons())
def test_guard_is_tripped_where_it_belongs(reason):
    assert reason in tripped(reason.partition(":")[0])


def test_no_reason_is_expected_that_no_source_gives():
    expected = {each for contract in CONTRACTS for each in tripped(contract.lower())} - {""}
    assert expected <= set(reasons())
