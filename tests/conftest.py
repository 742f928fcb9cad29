"""How the tests are spread over cores: a file to one of them, or a whole folder whose tests share one stage."""

from __future__ import annotations

import pytest


# First, because xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        shares_a_stage = (item.path.parent / "conftest.py").exists() and item.path.parent.parent.name != "tests"
        together = item.path.parent if shares_a_stage else item.path
        item.add_marker(pytest.mark.xdist_group(str(together)))
