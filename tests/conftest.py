"""How the tests are spread over cores (a file to one of them, or a whole folder whose tests share one stage), on which
engine the contract tests run, and on which database all others do."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

from tests.databases import ON_POSTGRESQL

settings.register_profile("feiqian", deadline=None)  # how busy the machine is decides no test
settings.load_profile("feiqian")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("embedded", "anvil"),
        default="embedded",
        help="the chain under the contract tests: our own in this process, or anvil from npm",
    )


# First, because xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("engine") == "anvil":
        keep_what_an_engine_decides(config, items)
    keep_what_a_database_decides(config, items)
    for item in items:
        shares_a_stage = (item.path.parent / "conftest.py").exists() and item.path.parent.parent.name != "tests"
        together = item.path.parent if shares_a_stage else item.path
        item.add_marker(pytest.mark.xdist_group(str(together)))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What shares a stage stays together: silently apart, each core would set up every stage."""
    if getattr(session.config.option, "loadgroup", False):
        assert all("@" in item.nodeid for item in session.items), "pytest-xdist does not group these tests"
    # What was collected stays: the collector would look through it again and again, for a fifth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def keep_what_an_engine_decides(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that ask no chain, and those about our own chain's ways (`embedded`)."""
    aside = {each for each in items if "transport" not in each.fixturenames or each.get_closest_marker("embedded")}
    config.hook.pytest_deselected(items=list(aside))
    items[:] = [each for each in items if each not in aside]


def keep_what_a_database_decides(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests about the ways of the database that this run is not on."""
    other = "sqlite" if ON_POSTGRESQL else "postgresql"
    aside = {each for each in items if each.get_closest_marker(other)}
    config.hook.pytest_deselected(items=list(aside))
    items[:] = [each for each in items if each not in aside]
