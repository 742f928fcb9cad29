"""The machine that runs the contracts beside their model finds each of these bugs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.beside.ground import found
from tests.contract.beside.machine import campaign
from tests.contract.beside.planted import BUGS

SEEDS = range(1, 17)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    with pytest.raises(AssertionError):
        campaign(found({bug.contract: bug.creation_code(tmp_path)}), SEEDS)
